import { pickUp, servesText } from "../control/pickup.js";
import { TokenFile } from "../oauth/token-file.js";
import { jsonText } from "../output.js";
import { openRegistry } from "../registry.js";
import { statePaths } from "../state/state-paths.js";
import { withJson, type JsonFlag, type RegisterCommand } from "./command-context.js";
import { findServer } from "./find-server.js";
import { checkedName } from "./server-from-words.js";

/** `logout NAME`: forgets what a server was authorised with, whether there is still such a server or not. */
export const registerLogout: RegisterCommand = (program, { io, finish }) => {
  withJson(program.command("logout"))
    .description("forget the tokens of a server")
    .argument("<name>", "the server's name")
    .action(async (name: string, { json }: JsonFlag) => {
      const wasIn = await new TokenFile(statePaths(io.env).tokens, checkedName(name)).remove();
      // A name that was mistyped must not look like one that is logged out.
      if (!wasIn) await findServer(io, openRegistry(io), name);
      const pickup = wasIn ? await pickUp(io, name) : undefined;
      const gateway = pickup?.running === true ? pickup : null;
      const shown = JSON.stringify(name);
      if (json === true) io.out(jsonText({ loggedOut: name, changed: wasIn, gateway }));
      else if (pickup === undefined) io.out(`There were no tokens of ${shown}.`);
      else io.out(`Logged out of ${shown}; its tokens are deleted here.\n${servesText(pickup)}`);
      finish(0);
    });
};
