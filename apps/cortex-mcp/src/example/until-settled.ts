import type { Gateway } from "@cortex-os/mcp";
import type { Timers } from "@cortex-os/mcp-core";

/** How long the example waits for a server that neither comes up nor fails, in milliseconds. */
const LONGEST_MS = 60_000;

/** Resolves when every source has told its connectors and none is connecting any more, or after a minute. */
export async function untilSettled(
  gateway: Pick<Gateway, "onChange" | "status" | "settled">,
  timers: Timers,
): Promise<void> {
  let stopListening = (): void => {};
  let cancel = (): void => {};
  await new Promise<void>((resolve) => {
    let isSettled = false;
    const look = (): void => {
      if (isSettled && !gateway.status().connectors.some(({ state }) => state === "connecting")) resolve();
    };
    stopListening = gateway.onChange(look);
    cancel = timers.after(LONGEST_MS, resolve);
    void gateway.settled().then(() => {
      isSettled = true;
      look();
    });
  });
  stopListening();
  cancel();
}
