import { GatewayError, type Timers } from "@cortex-os/mcp-core";
import { exitCodeOf } from "../process-io.js";
import { STOP_MS, type HostedGateway } from "./host-gateway.js";
import type { StopRequest } from "./stop-request.js";
import { within } from "./within.js";

/**
 * Runs `start` until it is done or a signal asks for the end; then the start is called off, and what was begun is ended.
 *
 * @param start begins a gateway, and gives up when the signal it is handed says so
 * @returns the gateway, or the exit code when the signal came first: 0, or what a shell reports for the signal when the start did not let itself
 *   be called off within {@link STOP_MS}
 */
export async function startUnlessStopped<Started extends Pick<HostedGateway, "stop">>(
  start: (signal: AbortSignal) => Promise<Started>,
  { requested }: Pick<StopRequest, "requested">,
  timers: Timers,
): Promise<Started | number> {
  const abort = new AbortController();
  const starting = start(abort.signal);
  const first = await Promise.race([starting, requested]);
  if (typeof first !== "string") return first;
  const calledOff = new GatewayError("CANCELLED", `${first} came before the gateway had started`);
  abort.abort(calledOff);
  let exitCode = 0;
  await within(STOP_MS, ended(starting, calledOff), timers, () => {
    exitCode = exitCodeOf(first);
  });
  return exitCode;
}

/** @throws what made the start fail, if that was not its being called off */
async function ended(starting: Promise<Pick<HostedGateway, "stop">>, calledOff: GatewayError): Promise<void> {
  let hosted: Pick<HostedGateway, "stop">;
  try {
    hosted = await starting;
  } catch (error) {
    if (error === calledOff) return;
    throw error;
  }
  await hosted.stop();
}
