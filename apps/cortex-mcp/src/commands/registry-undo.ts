import { nextToUndo } from "@cortex-os/mcp";
import { openRegistry } from "../registry.js";
import { changeText, takenBackText } from "../registry-text.js";
import { userError } from "../user-error.js";
import { withJson, type JsonFlag, type RegisterCommand } from "./command-context.js";
import { isConfirmed } from "./confirm.js";
import { reportChanges } from "./report-changes.js";

interface UndoFlags extends JsonFlag {
  readonly yes?: true;
}

/** `registry undo`: takes the last change back, and with it those that were made in one go with it. */
export const registerRegistryUndo: RegisterCommand = (registry, { io, finish }) => {
  withJson(registry.command("undo"))
    .description("take the last change back: what one command did, or one edit of the file, or one restore")
    .option("-y, --yes", "do not ask")
    .action(async ({ yes, json }: UndoFlags) => {
      const opened = openRegistry(io);
      const last = nextToUndo(await opened.history());
      const [first] = last;
      if (first === undefined)
        throw userError("there is nothing to undo; cortex-mcp registry history shows what is known");
      if (!(await isConfirmed(io, [...last.map(changeText), "Take that back?"], yes))) {
        finish(1);
        return;
      }
      const undone = await opened.undo(first.group);
      await reportChanges(io, { verb: "undone", changes: undone, lines: undone.map(takenBackText) }, json === true);
      finish(0);
    });
};
