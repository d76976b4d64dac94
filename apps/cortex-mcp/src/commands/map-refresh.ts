import { withMap } from "../control/map-access.js";
import { refreshText } from "../control/map-refresh.js";
import { jsonText } from "../output.js";
import { withJson, type JsonFlag, type RegisterCommand } from "./command-context.js";

/** `map refresh`: fetches the service map now. */
export const registerMapRefresh: RegisterCommand = (map, { io, finish }) => {
  withJson(map.command("refresh"))
    .description("fetch the service map now, also when the publisher failed of late")
    .action(async ({ json }: JsonFlag) => {
      const refresh = await withMap(io, (access) => access.refresh());
      io.out(json ? jsonText(refresh) : refreshText(refresh));
      finish(0);
    });
};
