import type { Gateway } from "@cortex-os/mcp";
import type { Timers } from "@cortex-os/mcp-core";

/** How long the example waits for a server that neither comes up nor fails, in milliseconds. */
const LONGEST_MS = 60_000;

/** Resolves when no connector is connecting any more, or after a minute. */
export async function untilSettled(gateway: Pick<Gateway, "onChange" | "status">, timers: Timers): Promise<void> {
  let stopListening = (): void => {};
  let cancel = (): void => {};
  await new Promise<void>((resolve) => {
    const look = (): void => {
      if (!gateway.status().connectors.some(({ state }) => state === "connecting")) resolve();
    };
    stopListening = gateway.onChange(look);
    cancel = timers.after(LONGEST_MS, resolve);
    look();
  });
  stopListening();
  cancel();
}
