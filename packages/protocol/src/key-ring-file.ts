import { readFile } from "node:fs/promises";
import { GatewayError, messageOf, type Logger } from "@cortex-os/mcp-core";
import { KeyRing } from "./key-ring.js";
import { parseStrictJson, withDetail } from "./strict-json.js";

/** What {@link keyRingSource} needs. At least one of `secret` and `file`, or it has no keys. */
export interface KeyRingSourceOptions {
  /** One HMAC key besides: `CONNECTORS_SIGNATURE_KEY`. */
  readonly secret?: string | undefined;
  /** A JWK Set: `CONNECTORS_KEYS_FILE`. */
  readonly file?: string | undefined;
  readonly logger: Logger;
}

/** Where the valid keys come from. */
export interface KeyRingSource {
  /**
   * The keys of this moment. The file is read anew each time, so that a key that was removed is gone at once.
   *
   * A file that cannot be read or used leaves the last good ring in force and is logged once per problem.
   *
   * @throws GatewayError `USER_INPUT` as long as there never was a good ring
   */
  load(): Promise<KeyRing>;
}

/** The key ring of a process: the secret of its environment and the file, together. */
export function keyRingSource({ secret, file, logger }: KeyRingSourceOptions): KeyRingSource {
  const fromSecret = secret === undefined ? undefined : KeyRing.fromSecret(secret);
  let last: KeyRing | undefined;
  let problem: string | undefined;
  let queue: Promise<unknown> = Promise.resolve();

  const loadFrom = async (path: string): Promise<KeyRing> => {
    try {
      const fromFile = await readRing(path);
      last = fromSecret === undefined ? fromFile : KeyRing.merge(fromSecret, fromFile);
      if (problem !== undefined) logger.info({ file }, "The key ring file is good again");
      problem = undefined;
      return last;
    } catch (error) {
      if (last === undefined) throw error;
      const reason = messageOf(error);
      if (problem !== reason)
        logger.error({ file, reason }, "The key ring file cannot be used; the keys before it stay valid");
      problem = reason;
      return last;
    }
  };

  return {
    load: () => {
      if (file !== undefined) {
        // One after the other: an older read that ended last would bring back a key that a newer one saw removed.
        const loading = queue.then(() => loadFrom(file));
        queue = loading.catch(() => {});
        return loading;
      }
      if (fromSecret !== undefined) return Promise.resolve(fromSecret);
      return Promise.reject(new GatewayError("USER_INPUT", NO_KEY));
    },
  };
}

const NO_KEY = "There is no key: set CONNECTORS_KEYS_FILE or CONNECTORS_SIGNATURE_KEY";

async function readRing(file: string): Promise<KeyRing> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new GatewayError("USER_INPUT", `The key ring file ${file} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const json = parseStrictJson(text);
  if (!json.ok) throw new GatewayError("USER_INPUT", `The key ring file ${file}: ${withDetail(json)}`);
  try {
    return KeyRing.fromJwks(json.value);
  } catch (error) {
    throw new GatewayError("USER_INPUT", `The key ring file ${file}: ${messageOf(error)}`, { cause: error });
  }
}
