import { withMap } from "../control/map-access.js";
import { jsonText } from "../output.js";
import { diffLines } from "../service-map/map-text.js";
import { withJson, type JsonFlag, type RegisterCommand } from "./command-context.js";
import { isConfirmed } from "./confirm.js";

interface AcceptFlags extends JsonFlag {
  readonly resetFloor?: true;
  readonly yes?: true;
}

const FORGET =
  "Forget which service map was the newest? An older one with a valid signature is then accepted once more.";

/** `map accept [--reset-floor]`: puts the held service map in force. */
export const registerMapAccept: RegisterCommand = (map, { io, finish }) => {
  withJson(map.command("accept"))
    .description("put the held service map in force")
    .option("--reset-floor", "instead: accept an older map next, after one from the future was published by mistake")
    .option("-y, --yes", "do not ask")
    .action(async ({ resetFloor, yes, json }: AcceptFlags) => {
      const result = await withMap(io, async (access) => {
        if (resetFloor === true) {
          return (await isConfirmed(io, [FORGET], yes)) ? access.operate({ kind: "reset-floor" }) : undefined;
        }
        const held = (await access.known()).find(({ role }) => role === "held");
        // With none held there is nothing to ask: the refusal says so.
        const question = held === undefined ? [] : [...diffLines(await access.diff()), `Put ${held.id} in force?`];
        if (held !== undefined && !(await isConfirmed(io, question, yes))) return undefined;
        // One that came since was not seen; the empty id is no map's.
        const { id = "", connectorsDigest } = held ?? {};
        const seen = connectorsDigest === undefined ? { id } : { id, connectorsDigest };
        return access.operate({ kind: "accept", ...seen });
      });
      if (result !== undefined) io.out(json ? jsonText(result) : result.message);
      finish(result === undefined ? 1 : 0);
    });
};
