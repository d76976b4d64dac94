import path from "node:path";
import { signingKeyFromJwks, signingKeyFromSecret, type SigningKey } from "@cortex-os/protocol";
import type { Io } from "../io.js";
import { reasonOf, userError } from "../user-error.js";
import { readKeySet } from "./key-set-file.js";

/** The flags that say which key signs. */
export interface SigningFlags {
  readonly keys?: string;
  readonly kid?: string;
}

/**
 * The key to sign a service map with, as it is now: of the private key set `--keys`, the one named `--kid` or the first; without a set,
 * `CONNECTORS_SIGNATURE_KEY`.
 *
 * @throws GatewayError USER_INPUT when there is none, or it cannot sign
 */
export async function signingKey(io: Pick<Io, "env" | "cwd">, { keys, kid }: SigningFlags): Promise<SigningKey> {
  if (keys !== undefined) {
    const jwks = await readKeySet(io, keys);
    try {
      return signingKeyFromJwks(jwks, kid);
    } catch (error) {
      throw userError(`${path.resolve(io.cwd, keys)}: ${reasonOf(error)}`, { cause: error });
    }
  }
  if (kid !== undefined) throw userError("--kid names a key of a key set; name the set with --keys FILE");
  const secret = io.env["CONNECTORS_SIGNATURE_KEY"];
  if (secret) return signingKeyFromSecret(secret);
  throw userError(
    "there is no key to sign with; name a private key set with --keys FILE (cortex-mcp map keygen makes one) or set CONNECTORS_SIGNATURE_KEY",
  );
}
