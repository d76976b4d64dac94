import { ServerInfoSchema, type ServerInfo } from "@cortex-os/mcp-core";
import type { Io } from "../io.js";
import { maskUrl } from "../secrets.js";
import { didYouMean } from "../suggest.js";
import { userError } from "../user-error.js";
import { checkedCommand, namesFile } from "./command-lookup.js";

/** The words of one `add`. */
export interface AddWords {
  readonly name: string;
  readonly target: string | undefined;
  readonly args: readonly string[];
  readonly transport: string | undefined;
  readonly env: readonly string[];
  readonly header: readonly string[];
}

const TRANSPORTS = ["http", "sse", "stdio"] as const;
type Transport = (typeof TRANSPORTS)[number];

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** A field name of RFC 9110. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** A field value of RFC 9110: visible characters, blanks and tabs. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * The registry entry that the words of an `add` stand for.
 *
 * @throws GatewayError USER_INPUT naming the word that cannot be; values of `-e` and `-H` are never repeated in it
 */
export async function serverFromWords(words: AddWords, io: Pick<Io, "cwd" | "env">): Promise<ServerInfo> {
  const name = checkedName(words.name);
  const { target } = words;
  if (target === undefined) {
    throw userError(`add ${name} needs a URL, or -- and a command: cortex-mcp add ${name} -- npx -y some-server`);
  }
  const transport = checkedTransport(words.transport) ?? (looksLikeUrl(target) ? "http" : "stdio");
  if (transport !== "stdio") return remoteServer(name, transport, target, words);
  if (words.header.length > 0) throw userError("-H is for servers with a URL; give a command its secrets with -e K=V");
  if (/^https?:\/\//i.test(target)) throw userError(`${maskUrl(target)} is a URL, no command; leave out -t stdio`);
  const env = Object.fromEntries(words.env.map(variable));
  const command = await checkedCommand(target, io);
  const here = await Promise.all(words.args.map((arg) => namesFile(arg, io.cwd)));
  return {
    name,
    transport: "stdio",
    command,
    ...(words.args.length === 0 ? {} : { args: [...words.args] }),
    ...(words.env.length === 0 ? {} : { env }),
    // The gateway runs elsewhere: an argument that names a file here must go on naming it.
    ...(here.includes(true) ? { cwd: io.cwd } : {}),
  };
}

/**
 * The name, if a server can have it.
 *
 * @throws GatewayError USER_INPUT
 */
export function checkedName(name: string): string {
  if (ServerInfoSchema.shape.name.safeParse(name).success) return name;
  throw userError(`${JSON.stringify(name)} cannot be a server's name: use 1 to 32 letters, digits, '_' or '-'`);
}

function remoteServer(name: string, transport: Transport, target: string, words: AddWords): ServerInfo {
  if (words.env.length > 0) {
    throw userError("-e is for servers started by a command; give a URL its secrets with -H 'K: V'");
  }
  if (words.args.length > 0) {
    throw userError("nothing may follow a URL; for a command put -- before it, and leave out -t http");
  }
  const protocol = URL.canParse(target) ? new URL(target).protocol : "";
  if (protocol !== "http:" && protocol !== "https:") {
    throw userError(`${JSON.stringify(maskUrl(target))} is no http or https URL; write it out, as in https://host/mcp`);
  }
  const headers = Object.fromEntries(words.header.map(header));
  return { name, transport, endpoint: target, ...(words.header.length === 0 ? {} : { headers }) };
}

function checkedTransport(word: string | undefined): Transport | undefined {
  if (word === undefined) return undefined;
  const transport = TRANSPORTS.find((candidate) => candidate === word);
  if (transport !== undefined) return transport;
  throw userError(`-t takes http, sse or stdio, not ${JSON.stringify(word)}${didYouMean(word, TRANSPORTS)}`);
}

/** With a scheme of any kind, so that a misspelt one is a bad URL and not a strange command. */
const looksLikeUrl = (target: string): boolean => target.includes("://");

function variable(word: string): [string, string] {
  const at = word.indexOf("=");
  const key = word.slice(0, Math.max(0, at));
  if (VARIABLE.test(key)) return [key, word.slice(at + 1)];
  throw userError("-e needs NAME=VALUE with a name of letters, digits and '_', as in -e API_KEY=…");
}

function header(word: string): [string, string] {
  const at = word.indexOf(":");
  const key = word.slice(0, Math.max(0, at)).trim();
  const value = word.slice(at + 1).trim();
  if (HEADER_NAME.test(key) && HEADER_VALUE.test(value)) return [key, value];
  throw userError("-H needs 'Name: value' on one line, as in -H 'Authorization: Bearer …'");
}
