import { ControlClient } from "../control/control-client.js";
import { reloadText } from "../control/reload-text.js";
import { jsonText } from "../output.js";
import { requireRunningGateway } from "../state/running-gateway.js";
import { statePaths } from "../state/state-paths.js";
import { withJson, type JsonFlag, type RegisterCommand } from "./command-context.js";

/** `reload`: what the running gateway does by itself when a file changes, done now and told. */
export const registerReload: RegisterCommand = (program, { io, finish }) => {
  withJson(program.command("reload"))
    .description("have the running gateway read configuration, registry and service map again")
    .action(async ({ json }: JsonFlag) => {
      const running = await requireRunningGateway(statePaths(io.env));
      const report = await new ControlClient(running, io.system.timers).reloadAll();
      io.out(json ? jsonText(report) : reloadText(report));
      finish(0);
    });
};
