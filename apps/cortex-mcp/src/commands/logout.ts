import { pickUp, servesText } from "../control/pickup.js";
import { TokenFile } from "../oauth/token-file.js";
import { jsonText } from "../output.js";
import { statePaths } from "../state/state-paths.js";
import { withJson, type JsonFlag, type RegisterCommand } from "./command-context.js";
import { checkedName } from "./server-from-words.js";

/** `logout NAME`: forgets what a server was authorised with, whether there is still such a server or not. */
export const registerLogout: RegisterCommand = (program, { io, finish }) => {
  withJson(program.command("logout"))
    .description("forget the tokens of a server")
    .argument("<name>", "the server's name")
    .action(async (name: string, { json }: JsonFlag) => {
      const wasIn = await new TokenFile(statePaths(io.env).tokens, checkedName(name)).remove();
      const pickup = await pickUp(io, name);
      if (json === true) io.out(jsonText({ loggedOut: name, changed: wasIn, gateway: pickup.running ? pickup : null }));
      else {
        const shown = JSON.stringify(name);
        io.out(wasIn ? `Logged out of ${shown}; its tokens are deleted here.` : `There were no tokens of ${shown}.`);
        io.out(servesText(pickup));
      }
      finish(0);
    });
};
