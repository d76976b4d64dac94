import { GatewayError } from "@cortex-os/mcp-core";
import type { StartGate } from "../connectors/start-gate.js";

/**
 * Resolves when the start is over.
 * @throws GatewayError CANCELLED as soon as `signal` says so
 */
export async function untilOpen(gate: StartGate, signal?: AbortSignal): Promise<void> {
  if (gate.isOpen) return;
  await new Promise<void>((resolve, reject) => {
    const onAbort = (): void => {
      forget();
      reject(new GatewayError("CANCELLED", "The call was given up while the connectors were starting"));
    };
    const forget = gate.whenOpen(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener("abort", onAbort, { once: true });
  });
}
