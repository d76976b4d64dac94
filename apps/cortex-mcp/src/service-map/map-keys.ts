import type { Logger } from "@cortex-os/mcp-core";
import { keyRingSource, weakKeys, type KeyRing } from "@cortex-os/protocol";
import { userError } from "../user-error.js";
import type { MapSettings } from "./map-settings.js";

/** Gives the keys that are in force now. */
export type MapKeys = () => Promise<KeyRing>;

const SECRET = "CONNECTORS_SIGNATURE_KEY";

/**
 * The keys that a map's signature may be checked with. The file is read anew each time, so that keys rotate without a restart; one that cannot be used then,
 * or holds a key that is too short, is logged, and the keys before it stay.
 *
 * @throws GatewayError USER_INPUT when the file cannot be read or holds no key, or a key is too short (R2)
 */
export async function openMapKeys(settings: MapSettings, logger: Logger): Promise<MapKeys> {
  const { signatureKey: secret, config } = settings;
  const { keysFile: file } = config;
  const source = keyRingSource({ secret, file, logger });
  let strong = await source.load();
  const problem = weaknessOf(strong, file);
  if (problem !== undefined) throw userError(problem);
  if (strong.size === 0) throw userError(`${file} holds no key: make one with cortex-mcp map keygen`);
  let told = strong.fingerprint;
  return async () => {
    const ring = await source.load();
    const weakness = weaknessOf(ring, file);
    if (weakness === undefined) strong = ring;
    else if (told !== ring.fingerprint) {
      logger.error({ reason: weakness }, "The new keys are not used; those before them stay valid");
    }
    told = ring.fingerprint;
    return weakness === undefined ? ring : strong;
  };
}

function weaknessOf(ring: KeyRing, file: string | undefined): string | undefined {
  const [first] = weakKeys(ring);
  if (first === undefined) return undefined;
  if (first === SECRET) {
    return `${SECRET} has fewer than 32 bytes and could be guessed: set what openssl rand -base64 48 makes, for the publisher too, or use CONNECTORS_KEYS_FILE`;
  }
  return `the key ${JSON.stringify(first)} in ${file} has fewer than 32 bytes and could be guessed: make a longer one with cortex-mcp map keygen --type hmac`;
}
