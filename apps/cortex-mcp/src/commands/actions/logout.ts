import { pickUp, servesText } from "../../control/pickup.js";
import type { Io } from "../../io.js";
import { TokenFile } from "../../oauth/token-file.js";
import { jsonText } from "../../output.js";
import { openRegistry } from "../../registry.js";
import { statePaths } from "../../state/state-paths.js";
import type { JsonFlag } from "../command-context.js";
import { findServer } from "../find-server.js";
import { checkedName } from "../server-from-words.js";

/** Deletes the tokens of a server and says so. Resolves with the exit code. */
export async function logout(io: Io, name: string, { json }: JsonFlag): Promise<number> {
  const wasIn = await new TokenFile(statePaths(io.env).tokens, checkedName(name)).remove();
  // A name that was mistyped must not look like one that is logged out.
  if (!wasIn) await findServer(io, openRegistry(io), name);
  const pickup = wasIn ? await pickUp(io, name) : undefined;
  const gateway = pickup?.running === true ? pickup : null;
  const shown = JSON.stringify(name);
  if (json === true) io.out(jsonText({ loggedOut: name, changed: wasIn, gateway }));
  else if (pickup === undefined) io.out(`There were no tokens of ${shown}.`);
  else io.out(`Logged out of ${shown}; its tokens are deleted here.\n${servesText(pickup)}`);
  return 0;
}
