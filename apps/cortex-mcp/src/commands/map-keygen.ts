import { access } from "node:fs/promises";
import path from "node:path";
import { generateKeySet, isPublicJwks, jwkSetOf, publicJwksOf, type JwkSet } from "@cortex-os/protocol";
import { Option } from "commander";
import type { Io } from "../io.js";
import { jsonText } from "../output.js";
import { userError } from "../user-error.js";
import { withJson, type JsonFlag, type RegisterCommand } from "./command-context.js";
import {
  checkFolderOf,
  createPrivateKeySet,
  isOpenToOthers,
  readKeySet,
  replacePrivateKeySet,
  writePublicFile,
} from "./key-set-file.js";

interface KeygenFlags extends JsonFlag {
  readonly out: string;
  readonly public?: string;
  readonly kid?: string;
  readonly type: "ed25519" | "hmac";
  readonly add?: true;
}

/** A name that stands in logs, metrics and shells without being quoted. */
const KID = /^[A-Za-z0-9._-]{1,64}$/;

/** `map keygen --out FILE`: a key to sign service maps with. */
export const registerMapKeygen: RegisterCommand = (map, { io, finish }) => {
  withJson(map.command("keygen"))
    .description("make a key to sign service maps with")
    .requiredOption("--out <file>", "private key set to write, for the publisher alone")
    .option("--public <file>", "public key set to write, for the gateways")
    .option("--kid <name>", "the key's name (default: made up)")
    .addOption(new Option("--type <type>", "kind of key").choices(["ed25519", "hmac"]).default("ed25519"))
    .option("--add", "put the key into the set that is there, to rotate")
    .action(async (flags: KeygenFlags) => {
      finish(await keygen(io, flags));
    });
};

async function keygen(io: Io, flags: KeygenFlags): Promise<number> {
  const { kid, type, add = false, json = false } = flags;
  if (kid !== undefined && !KID.test(kid)) {
    throw userError(`--kid must be 1 to 64 letters, digits, ".", "_" or "-", not ${JSON.stringify(kid)}`);
  }
  const file = path.resolve(io.cwd, flags.out);
  const publicFile = flags.public === undefined ? undefined : path.resolve(io.cwd, flags.public);
  await checkFolderOf(file);
  if (publicFile !== undefined) await checkFolderOf(publicFile);
  const before = add ? await readKeySet(io, file) : undefined;
  if (before !== undefined) await warnIfOpen(io, file);
  if (publicFile !== undefined) await checkPublicFile(io, publicFile, { file, type, add });
  const made = generateKeySet({ kind: type, ...(kid === undefined ? {} : { kid }) }).privateJwks;
  const privateJwks = before === undefined ? made : added(before, made, file);
  await (before === undefined ? createPrivateKeySet(file, privateJwks) : replacePrivateKeySet(file, privateJwks));
  const publicJwks = publicJwksOf(privateJwks);
  if (publicFile !== undefined) await writePublicFile(publicFile, jsonText(publicJwks));
  const name = made.keys[0]?.kid ?? "";
  if (json) io.out(jsonText({ file, kid: name, type, publicFile: publicFile ?? null, publicJwks }));
  else io.out(told({ file, publicFile, name, type, before, publicJwks }));
  return 0;
}

async function warnIfOpen(io: Io, file: string): Promise<void> {
  if (!(await isOpenToOthers(file))) return;
  io.err(`cortex-mcp: warning: others could read ${file} until now; do not trust the keys that were in it`);
}

/** @throws GatewayError USER_INPUT when the name is taken, or the gateways would get to see a private key */
function added(before: JwkSet, made: JwkSet, file: string): JwkSet {
  const ofPair = before.keys.some(({ kty }) => kty === "OKP");
  if (ofPair && made.keys.some(({ kty }) => kty === "oct")) {
    throw userError(
      `${file} holds Ed25519 keys: gateways would need the HMAC key and must not see those; use another file`,
    );
  }
  const set = { ...before, keys: [...before.keys, ...made.keys] };
  try {
    return jwkSetOf(set);
  } catch (error) {
    throw userError(`${file} has a key of that name already; choose another --kid`, { cause: error });
  }
}

/** Before anything is written: what is there may be somebody's only copy of a private key. */
async function checkPublicFile(
  io: Io,
  publicFile: string,
  { file, type, add }: { readonly file: string; readonly type: KeygenFlags["type"]; readonly add: boolean },
): Promise<void> {
  if (type === "hmac") throw userError("an HMAC key has no public half; leave --public out, or use --type ed25519");
  if (publicFile === file) throw userError("--out and --public must be two files: one is secret, the other is not");
  if (!(await exists(publicFile))) return;
  const known = await readKeySet(io, publicFile);
  if (!isPublicJwks(known)) throw userError(`${publicFile} holds private keys; name another file for --public`);
  if (!add) throw userError(`${publicFile} exists already; remove it, or name another file for --public`);
}

interface Made {
  readonly file: string;
  readonly publicFile: string | undefined;
  readonly name: string;
  readonly type: KeygenFlags["type"];
  readonly before: JwkSet | undefined;
  readonly publicJwks: JwkSet;
}

function told({ file, publicFile, name, type, before, publicJwks }: Made): string {
  const verb = before === undefined ? "Wrote" : "Added";
  const toFile = `${before === undefined ? "into" : "to"} ${file}`;
  const next =
    before === undefined
      ? `Then publish: cortex-mcp map serve MANIFEST --keys ${file}`
      : `When all gateways have it, sign with it: cortex-mcp map serve MANIFEST --keys ${file} --kid ${name}. When no map in force is signed with an older key, remove that key everywhere.`;
  if (type === "hmac") {
    return [
      `${verb} the HMAC key ${name} ${toFile}.`,
      "The gateways need this file itself (CONNECTORS_KEYS_FILE): an HMAC key has no public half, and whoever can verify a map with it can sign one. Prefer --type ed25519.",
      next,
    ].join("\n");
  }
  const where = publicFile === undefined ? "" : `, ${publicFile},`;
  const beside = before?.keys.some(({ kty }) => kty === "oct") ? " beside the HMAC keys that it has" : "";
  return [
    `${verb} the Ed25519 key ${name} ${toFile}; it is private, for the publisher alone.`,
    `Give every gateway the public key set${where} as its CONNECTORS_KEYS_FILE${beside}:`,
    jsonText(publicJwks),
    next,
  ].join("\n");
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
