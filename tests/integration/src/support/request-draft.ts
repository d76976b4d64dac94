import type { RandomSource } from "@cortex-os/mcp-core";
import { MARKER } from "./recording-upstream.js";

/** A member of a JSON object as it is written: only so can a key stand there twice. */
export type Member = [key: string, json: string];

/** A request of 2026-07-28 in pieces that can be changed one by one. */
export interface RequestDraft {
  readonly marker: string;
  /** Whether the gateway asks the upstream. Lists it answers itself. */
  readonly isForwarded: boolean;
  path: string;
  headers: [name: string, value: string][];
  envelope: Member[];
  params: Member[];
  meta: Member[];
}

export const REVISION = "2026-07-28";
export const VERSION_KEY = "io.modelcontextprotocol/protocolVersion";

/** Any of them. */
export const oneOf = <T>(random: RandomSource, items: readonly T[]): T => {
  const item = items[Math.floor(random.next() * items.length)];
  if (item === undefined) throw new Error("there is nothing to choose from");
  return item;
};

/** The header value that carries a text of any characters. */
export const encoded = (text: string): string => `=?base64?${Buffer.from(text, "utf8").toString("base64")}?=`;

interface Kind {
  readonly path: string;
  readonly method: string;
  readonly isForwarded: boolean;
  /** What `Mcp-Name` mirrors. */
  readonly name?: readonly [key: "name" | "uri", value: string];
  readonly params?: Readonly<Record<string, unknown>>;
  readonly paramHeaders?: readonly (readonly [name: string, value: string])[];
}

const MIRRORED = { region: "eu-w\u00e9st", place: { shard: 42 } };
const MIRRORS = [
  ["Mcp-Param-Region", encoded(MIRRORED.region)],
  ["Mcp-Param-Shard", "42"],
] as const;

const KINDS: readonly Kind[] = [
  {
    path: "/mcp",
    method: "tools/call",
    isForwarded: true,
    name: ["name", "up__echo"],
    params: { arguments: { a: 1 } },
  },
  { path: "/mcp/-/up", method: "tools/call", isForwarded: true, name: ["name", "echo"], params: { arguments: {} } },
  {
    path: "/mcp",
    method: "tools/call",
    isForwarded: true,
    name: ["name", "up__mirror"],
    params: { arguments: MIRRORED },
    paramHeaders: MIRRORS,
  },
  { path: "/mcp", method: "prompts/get", isForwarded: true, name: ["name", "up__greet"] },
  { path: "/mcp", method: "resources/read", isForwarded: true, name: ["uri", "memo://one"] },
  { path: "/mcp", method: "resources/read", isForwarded: true, name: ["uri", "memo://item/caf\u00e9"] },
  { path: "/mcp/-/up", method: "resources/read", isForwarded: true, name: ["uri", "memo://item/\u65e5\u672c"] },
  {
    path: "/mcp",
    method: "completion/complete",
    isForwarded: true,
    params: { ref: { type: "ref/prompt", name: "up__greet" }, argument: { name: "who", value: "" } },
  },
  { path: "/mcp", method: "tools/list", isForwarded: false },
  { path: "/mcp", method: "server/discover", isForwarded: false },
];

const isPlain = (text: string): boolean => /^[\x21-\x7e]+$/.test(text);

/** A request whose headers and body agree, in one of the ways in which they may. */
export function draftRequest(marker: string, random: RandomSource): RequestDraft {
  const kind = oneOf(random, KINDS);
  const { name, params = {}, paramHeaders = [] } = kind;
  const headers: [string, string][] = [
    ["MCP-Protocol-Version", REVISION],
    ["Mcp-Method", kind.method],
    ...paramHeaders.map(([header, value]): [string, string] => [header, value]),
  ];
  if (name !== undefined) {
    const [, value] = name;
    headers.push(["Mcp-Name", isPlain(value) && random.next() < 0.7 ? value : encoded(value)]);
  }
  const anyCase = oneOf(random, [
    (text: string) => text,
    (text: string) => text.toLowerCase(),
    (text: string) => text.toUpperCase(),
  ]);
  return {
    marker,
    isForwarded: kind.isForwarded,
    path: kind.path,
    headers: headers
      .map(([header, value]): [string, string] => [anyCase(header), value])
      .toSorted(() => random.next() - 0.5),
    envelope: members({ jsonrpc: "2.0", id: marker, method: kind.method }),
    params: members({ ...(name === undefined ? {} : { [name[0]]: name[1] }), ...params }),
    meta: members({ [VERSION_KEY]: REVISION, "io.modelcontextprotocol/clientCapabilities": {}, [MARKER]: marker }),
  };
}

/** The members of an object. */
export const members = (value: Readonly<Record<string, unknown>>): Member[] =>
  Object.entries(value).map(([key, member]) => [JSON.stringify(key), JSON.stringify(member)]);

/** An object of members as they are, whatever their keys. */
export const objectText = (list: readonly Member[]): string =>
  `{${list.map(([key, json]) => `${key}:${json}`).join(",")}}`;

/** The body of a draft. */
export const bodyOf = ({ envelope, params, meta }: RequestDraft): string =>
  objectText([...envelope, [`"params"`, objectText([...params, [`"_meta"`, objectText(meta)]])]]);
