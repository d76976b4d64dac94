import { pastTime } from "../past-time.js";
import { openRegistry } from "../registry.js";
import { madeText } from "../registry-text.js";
import { userError } from "../user-error.js";
import { withJson, type JsonFlag, type RegisterCommand } from "./command-context.js";
import { isConfirmed } from "./confirm.js";
import { reportChanges } from "./report-changes.js";

interface RestoreFlags extends JsonFlag {
  readonly at?: string;
  readonly yes?: true;
}

/** `registry restore --at TIME`: makes the registry what it was then. */
export const registerRegistryRestore: RegisterCommand = (registry, { io, finish }) => {
  withJson(registry.command("restore"))
    .description("make the registry what it was at some time; cortex-mcp registry undo takes that back")
    .option("--at <time>", "2026-11-30T14:05:00Z, '2026-11-30 14:05' by this machine's clock, or 10m, 2h, 3d ago")
    .option("-y, --yes", "do not ask")
    .action(async ({ at, yes, json }: RestoreFlags) => {
      if (at === undefined) throw userError("restore needs a time, such as --at 10m or --at 2026-11-30T14:05:00Z");
      const atMs = pastTime(at, io.system.clock.now());
      const then = new Date(atMs).toISOString();
      const question = `Make the registry what it was at ${then}? cortex-mcp registry undo takes that back.`;
      if (!(await isConfirmed(io, [question], yes))) {
        finish(1);
        return;
      }
      const changes = await openRegistry(io).restore(atMs);
      const lines =
        changes.length === 0
          ? [`Nothing to do: the registry is what it was at ${then}.`]
          : [...changes.map(madeText), `The registry is what it was at ${then}.`];
      await reportChanges(io, { verb: "restored", changes, lines }, json === true);
      finish(0);
    });
};
