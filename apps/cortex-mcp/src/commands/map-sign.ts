import path from "node:path";
import { parseManifest, signServiceMap } from "@cortex-os/protocol";
import type { Io } from "../io.js";
import { counted, jsonText } from "../output.js";
import { userError } from "../user-error.js";
import { withJson, type JsonFlag, type RegisterCommand } from "./command-context.js";
import { writePublicFile } from "./key-set-file.js";
import { readInputFile } from "./read-input-file.js";
import { signingKey, type SigningFlags } from "./map-signing-key.js";

interface SignFlags extends JsonFlag, SigningFlags {
  readonly out?: string;
}

/** `map sign MANIFEST`: the signed map, to be put onto any web server. */
export const registerMapSign: RegisterCommand = (map, { io, finish }) => {
  withJson(map.command("sign"))
    .description("make a signed service map of a manifest")
    .argument("<manifest>", "JSON file: brand, ttlSeconds, connectors; - reads standard input")
    .option("--keys <file>", "private key set to sign with (default: CONNECTORS_SIGNATURE_KEY)")
    .option("--kid <name>", "the key of the set to sign with (default: its first)")
    .option("--out <file>", "write the map there instead of printing it")
    .action(async (manifest: string, flags: SignFlags) => {
      finish(await sign(io, manifest, flags));
    });
};

async function sign(io: Io, manifest: string, flags: SignFlags): Promise<number> {
  const key = await signingKey(io, flags);
  const file = manifest === "-" ? "-" : path.resolve(io.cwd, manifest);
  const text = file === "-" ? await io.readInput() : (await readInputFile(io, file, "manifest")).toString("utf8");
  const { body, payload } = signServiceMap(parseManifest(text, file), { key, clock: io.system.clock });
  if (flags.out === undefined) {
    io.out(body);
    return 0;
  }
  const out = path.resolve(io.cwd, flags.out);
  const inputs = [file, ...(flags.keys === undefined ? [] : [path.resolve(io.cwd, flags.keys)])];
  if (inputs.includes(out)) throw userError(`--out would write over ${out}; name another file`);
  await writePublicFile(out, body);
  const { id, generatedAt, ttlSeconds, connectors } = payload;
  const expiresAt = new Date(Date.parse(generatedAt) + ttlSeconds * 1_000).toISOString();
  io.out(
    flags.json
      ? jsonText({ file: out, id, generatedAt, expiresAt, keyId: key.kid ?? null, connectors: connectors.length })
      : `Wrote the signed map ${id} of ${counted(connectors.length, "connector")} to ${out}; gateways take it until ${expiresAt}.`,
  );
  return 0;
}
