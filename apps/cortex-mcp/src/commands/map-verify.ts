import path from "node:path";
import { ConnectorManifestError, loadConnectorServiceMap, shownUrl } from "@cortex-os/mcp";
import { silentLogger } from "@cortex-os/mcp-core";
import {
  connectorsOf,
  keyRingSource,
  readServiceMap,
  type KeyRing,
  type VerifiedServiceMap,
} from "@cortex-os/protocol";
import { isLoopbackHost } from "../config/loopback.js";
import type { Io } from "../io.js";
import { counted, jsonText } from "../output.js";
import { oneLine, userError } from "../user-error.js";
import { withJson, type JsonFlag, type RegisterCommand } from "./command-context.js";
import { apiKeyFor } from "./publisher-api-key.js";
import { readInputFile } from "./read-input-file.js";

interface VerifyFlags extends JsonFlag {
  readonly keys?: string;
}

/** What came of checking a map. */
type Verdict =
  | { readonly ok: true; readonly map: VerifiedServiceMap; readonly expiresAtMs: number }
  | { readonly ok: false; readonly rule: string; readonly message: string };

/** `map verify FILE|URL|-`: whether a gateway with these keys would take this map now. */
export const registerMapVerify: RegisterCommand = (map, { io, finish }) => {
  withJson(map.command("verify"))
    .description("check a signed service map as a gateway does")
    .argument("<map>", "file, http or https URL, or - for standard input")
    .option("--keys <file>", "key set to check with (default: CONNECTORS_KEYS_FILE and CONNECTORS_SIGNATURE_KEY)")
    .action(async (source: string, flags: VerifyFlags) => {
      const verdict = await verify(io, source, flags);
      finish(flags.json === true ? tellJson(io, verdict) : tell(io, source, verdict));
    });
};

async function verify(io: Io, source: string, flags: VerifyFlags): Promise<Verdict> {
  const keys = await verifyingKeys(io, flags);
  const scheme = /^([a-z][a-z\d+.-]*):\/\//i.exec(source)?.[1]?.toLowerCase();
  if (scheme === "http" || scheme === "https") return verifyUrl(io, source, keys);
  if (scheme !== undefined) throw userError(`the URL of a service map must be http or https, not ${scheme}`);
  const body = source === "-" ? await io.readInput() : await readInputFile(io, source, "service map");
  const reading = readServiceMap(body, { keys, nowMs: io.system.clock.now() });
  if (reading.ok) return { ...reading, expiresAtMs: reading.map.expiresAtMs };
  const name = source === "-" ? "standard input" : source;
  const { rule, reason, detail } = reading;
  const more = detail === undefined ? "" : `: ${detail}`;
  return { ok: false, rule, message: `${name}: ${reason}${more} (rule: ${rule})` };
}

async function verifyUrl(io: Io, url: string, keys: KeyRing): Promise<Verdict> {
  const apiKey = apiKeyFor(url, io.env);
  if (apiKey !== undefined && isInTheClear(url)) {
    io.err("cortex-mcp: warning: the API key is sent unencrypted; publish the map over https");
  }
  const logger = { warn: (_fields: unknown, message: string) => io.err(`cortex-mcp: warning: ${message}`) };
  try {
    const { received } = await loadConnectorServiceMap({
      ...{ serviceMapUrl: url, keys, logger, clock: io.system.clock },
      ...(apiKey === undefined ? {} : { apiKey }),
    });
    if (received === undefined) throw new Error("the loader gave no map");
    return { ok: true, map: received.map, expiresAtMs: received.map.expiresAtMs };
  } catch (error) {
    if (!(error instanceof ConnectorManifestError)) throw error;
    return { ok: false, rule: error.rule, message: error.message };
  }
}

function isInTheClear(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === "http:" && !isLoopbackHost(hostname.replaceAll(/^\[|\]$/g, ""));
}

async function verifyingKeys(io: Io, flags: VerifyFlags): Promise<KeyRing> {
  const { CONNECTORS_KEYS_FILE: file, CONNECTORS_SIGNATURE_KEY: secret } = io.env;
  const named = flags.keys ?? (file || undefined);
  if (named === undefined && !secret) {
    throw userError("there is no key to check with; use --keys FILE, or set CONNECTORS_SIGNATURE_KEY");
  }
  const source = keyRingSource({
    secret: flags.keys === undefined ? secret || undefined : undefined,
    file: named === undefined ? undefined : path.resolve(io.cwd, named),
    logger: silentLogger,
  });
  return source.load();
}

function tellJson(io: Io, verdict: Verdict): number {
  if (!verdict.ok) {
    const { rule, message } = verdict;
    io.out(jsonText({ error: { code: "SERVICE_MAP", message: oneLine(message), rule } }));
    return 1;
  }
  const { payload, kid } = verdict.map;
  const { id, brand, generatedAt, ttlSeconds } = payload;
  const expiresAt = new Date(verdict.expiresAtMs).toISOString();
  const connectors = connectorsOf(payload).map(({ id: key, version, status }) => ({ id: key, version, status }));
  io.out(jsonText({ id, brand, generatedAt, ttlSeconds, expiresAt, keyId: kid ?? null, connectors }));
  return 0;
}

function tell(io: Io, source: string, verdict: Verdict): number {
  if (!verdict.ok) {
    io.err(`cortex-mcp: ${oneLine(verdict.message)}`);
    return 1;
  }
  const { payload, kid } = verdict.map;
  const connectors = connectorsOf(payload);
  const names = connectors.map(({ id, status }) => (status === "disabled" ? `${id} (disabled)` : id)).join(", ");
  io.out(`The service map is good${source === "-" ? "" : `: ${URL.canParse(source) ? shownUrl(source) : source}`}`);
  io.out(`  id: ${payload.id}, brand: ${oneLine(payload.brand)}`);
  io.out(`  generated: ${payload.generatedAt}`);
  io.out(`  expires: ${new Date(verdict.expiresAtMs).toISOString()}`);
  io.out(`  key: ${kid ?? "an HMAC key without a name"}`);
  io.out(`  connectors: ${connectors.length === 0 ? "none" : `${counted(connectors.length, "connector")}: ${names}`}`);
  return 0;
}
