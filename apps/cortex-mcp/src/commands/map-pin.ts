import type { MapOperation } from "@cortex-os/mcp";
import { withMap } from "../control/map-access.js";
import { jsonText } from "../output.js";
import { userError } from "../user-error.js";
import { withJson, type JsonFlag, type RegisterCommand } from "./command-context.js";

interface PinFlags extends JsonFlag {
  readonly off?: true;
}

/** `map pin [ID]`, `map pin --off`: keeps one service map whatever comes, or follows the newest again. */
export const registerMapPin: RegisterCommand = (map, { io, finish }) => {
  withJson(map.command("pin"))
    .description("keep serving one service map, whatever is published")
    .argument("[id]", "one of those that are kept (default: the one in force)")
    .option("--off", "follow the newest again")
    .action(async (id: string | undefined, { off, json }: PinFlags) => {
      const operation = operationOf(id, off === true);
      const result = await withMap(io, (access) => access.operate(operation));
      io.out(json ? jsonText(result) : result.message);
      finish(0);
    });
};

function operationOf(id: string | undefined, off: boolean): MapOperation {
  if (!off) return id === undefined ? { kind: "pin" } : { kind: "pin", id };
  if (id !== undefined) throw userError("map pin takes an id or --off, not both");
  return { kind: "unpin" };
}
