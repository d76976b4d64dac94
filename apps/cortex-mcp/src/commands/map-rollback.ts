import type { KnownMap, MapOperation } from "@cortex-os/mcp";
import { withMap } from "../control/map-access.js";
import { jsonText } from "../output.js";
import { withJson, type JsonFlag, type RegisterCommand } from "./command-context.js";
import { isConfirmed } from "./confirm.js";

interface RollbackFlags extends JsonFlag {
  readonly yes?: true;
}

/** `map rollback`: the service map before the one in force, until it is unpinned. */
export const registerMapRollback: RegisterCommand = (map, { io, finish }) => {
  withJson(map.command("rollback"))
    .description("serve the service map before the last one, and keep it until cortex-mcp map pin --off")
    .option("-y, --yes", "do not ask")
    .action(async ({ yes, json }: RollbackFlags) => {
      const result = await withMap(io, async (access) => {
        const previous = olderThanInForce(await access.known());
        const question = `Serve ${previous?.id} of ${previous?.generatedAt} again?`;
        // With none before it there is nothing to ask: the refusal says so.
        const isWanted = previous === undefined || (await isConfirmed(io, [question], yes));
        return isWanted ? access.operate(operationOf(previous, yes)) : undefined;
      });
      if (result !== undefined) io.out(json ? jsonText(result) : result.message);
      finish(result === undefined ? 1 : 0);
    });
};

/** Who was asked gets the map that was named, whatever was published between question and answer. */
const operationOf = (asked: KnownMap | undefined, yes: true | undefined): MapOperation =>
  asked === undefined || yes === true ? { kind: "rollback" } : { kind: "pin", id: asked.id };

/** The one that a rollback goes to: the next after the one in force. */
function olderThanInForce(known: readonly KnownMap[]): KnownMap | undefined {
  const usable = known.filter(({ role }) => role !== "held");
  const pinned = usable.findIndex((map) => map.pinned);
  if (pinned !== -1) return usable[pinned + 1];
  return usable.find(({ role }) => role === "previous");
}
