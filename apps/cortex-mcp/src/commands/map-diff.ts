import { withMap } from "../control/map-access.js";
import { jsonText } from "../output.js";
import { diffLines } from "../service-map/map-text.js";
import { withJson, type JsonFlag, type RegisterCommand } from "./command-context.js";

/** `map diff`: what the held service map would change. */
export const registerMapDiff: RegisterCommand = (map, { io, finish }) => {
  withJson(map.command("diff"))
    .description("show what the held service map would change or, with none held, what the last one changed")
    .action(async ({ json }: JsonFlag) => {
      const { diff, isHeld } = await withMap(io, async (access) => ({
        diff: await access.diff(),
        isHeld: (await access.known()).some(({ role }) => role === "held"),
      }));
      if (json) io.out(jsonText(diff));
      else for (const line of diffLines(diff)) io.out(line);
      if (isHeld && !json) io.out("It is held; cortex-mcp map accept puts it in force.");
      finish(0);
    });
};
