import { reportFailure } from "../report-failure.js";
import { withJson, type RegisterCommand } from "./command-context.js";

/** `stdio`: one client on standard input and output, through the gateway of this home. */
export const registerStdio: RegisterCommand = (program, { io, finish }) => {
  withJson(program.command("stdio"))
    .description("serve one client on standard input and output, for desktop clients")
    .action(async () => {
      const { stdio } = await import("./actions/stdio.js");
      try {
        finish(await stdio(io));
      } catch (error) {
        // Standard output belongs to the client, whatever --json says.
        finish(reportFailure(error, false, io));
      }
    });
};
