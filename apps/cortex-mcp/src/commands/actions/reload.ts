import { ControlClient } from "../../control/control-client.js";
import { reloadText } from "../../control/reload-text.js";
import type { Io } from "../../io.js";
import { jsonText } from "../../output.js";
import { requireRunningGateway } from "../../state/running-gateway.js";
import { statePaths } from "../../state/state-paths.js";
import type { JsonFlag } from "../command-context.js";

/** Has the running gateway read everything again, and says what came of it. Resolves with the exit code. */
export async function reload(io: Io, { json }: JsonFlag): Promise<number> {
  const running = await requireRunningGateway(statePaths(io.env));
  const report = await new ControlClient(running, io.system.timers).reloadAll();
  io.out(json ? jsonText(report) : reloadText(report));
  return 0;
}
