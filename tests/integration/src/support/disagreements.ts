import type { RandomSource } from "@cortex-os/mcp-core";
import {
  bodyOf,
  encoded,
  members,
  objectText,
  oneOf,
  REVISION,
  VERSION_KEY,
  type Member,
  type RequestDraft,
} from "./request-draft.js";

/**
 * A way in which headers and body can disagree. It changes the draft, and may write the body itself.
 * @returns `false` when the draft has nothing that it could change
 */
export type Disagreement = (draft: RequestDraft, random: RandomSource) => string | boolean;

const METHODS = [
  "tools/call",
  "tools/list",
  "prompts/get",
  "resources/read",
  "completion/complete",
  "ping",
  "tools/call2",
  "x",
];
const NAMES = ["up__mirror", "up__echo", "up__greet", "echo", "memo://one", "memo://item/x", "up__Echo", ""];
const OTHER_REVISIONS = [
  "2025-11-25",
  "2025-03-26",
  "2024-11-05",
  "2026-07-29",
  "2027-01-01",
  "DRAFT-2026-v1",
  "2026-7-28",
  "1",
];

const find = (draft: RequestDraft, name: string): [string, string] | undefined =>
  draft.headers.find(([header]) => header.toLowerCase() === name);
const memberOf = (list: readonly Member[], ...keys: readonly string[]): Member | undefined =>
  list.find(([key]) => keys.some((wanted) => key === JSON.stringify(wanted)));
const methodOf = (draft: RequestDraft): string => JSON.parse(memberOf(draft.envelope, "method")?.[1] ?? "") as string;
const nameMember = (draft: RequestDraft): Member | undefined =>
  find(draft, "mcp-name") === undefined ? undefined : memberOf(draft.params, "name", "uri");
const nameOf = (member: Member): string => JSON.parse(member[1]) as string;
const other = (random: RandomSource, from: readonly string[], than: string): string =>
  oneOf(
    random,
    from.filter((item) => item !== than),
  );
/** The same key for who reads JSON, another for who compares its bytes. */
const escapedKey = (key: string): string => (key === `"name"` ? String.raw`"n\u0061me"` : String.raw`"\u0075ri"`);
const otherCase = (text: string): string => {
  const upper = text.toUpperCase();
  return upper === text ? text.toLowerCase() : upper;
};

/** Gives a header another value. */
const header =
  (
    name: string,
    change: (value: string, random: RandomSource, draft: RequestDraft) => string | undefined,
  ): Disagreement =>
  (draft, random) => {
    const line = find(draft, name);
    const value = line === undefined ? undefined : change(line[1], random, draft);
    if (line === undefined || value === undefined || value === line[1]) return false;
    line[1] = value;
    return true;
  };

const dropHeader =
  (name: string): Disagreement =>
  (draft) => {
    const line = find(draft, name);
    draft.headers = draft.headers.filter((item) => item !== line);
    return line !== undefined;
  };

/** Sends a header once more, before or after, with the same value or another. */
const twice =
  (name: string, values: readonly string[]): Disagreement =>
  (draft, random) => {
    const line = find(draft, name);
    if (line === undefined) return false;
    const more: [string, string] = [oneOf(random, [line[0], otherCase(line[0])]), oneOf(random, [line[1], ...values])];
    draft.headers = random.next() < 0.5 ? [more, ...draft.headers] : [...draft.headers, more];
    return true;
  };

/** Changes the name in the body, or does not if it has none. */
const named =
  (change: (member: Member, draft: RequestDraft, random: RandomSource) => string | boolean): Disagreement =>
  (draft, random) => {
    const member = nameMember(draft);
    return member === undefined ? false : change(member, draft, random);
  };

/** The header's name, decoded, said in another way. */
const nameHeader = (change: (name: string, random: RandomSource) => string | undefined): Disagreement =>
  named((member, draft, random) => header("mcp-name", () => change(nameOf(member), random))(draft, random));

const paramHeader = (name: string, values: readonly string[]): Disagreement =>
  header(name, (_value, random) => oneOf(random, values));

/** What only a wrong header can be: refused with −32020. */
export const HEADER_DISAGREEMENTS: Readonly<Record<string, Disagreement>> = {
  "Mcp-Method is another": header("mcp-method", (value, random) => other(random, METHODS, value)),
  "Mcp-Method in another case": header("mcp-method", otherCase),
  "Mcp-Method is missing": dropHeader("mcp-method"),
  "Mcp-Method is empty": header("mcp-method", () => ""),
  "Mcp-Method is a list": header("mcp-method", (value, random) => `${value}, ${oneOf(random, [value, ...METHODS])}`),
  "Mcp-Method is encoded": header("mcp-method", encoded),
  "Mcp-Name is another": nameHeader((name, random) => other(random, NAMES, name)),
  "Mcp-Name in another case": nameHeader((name) => (/^[ -~]*$/.test(name) ? otherCase(name) : undefined)),
  "Mcp-Name is missing": dropHeader("mcp-name"),
  "Mcp-Name has more": nameHeader((name, random) =>
    encoded(oneOf(random, [`${name} `, ` ${name}`, `${name}\0`, `${name}\n`, `${name}/`])),
  ),
  "Mcp-Name has less": nameHeader((name) => encoded(name.slice(0, -1))),
  "Mcp-Name is a list": header("mcp-name", (value) => `${value}, ${value}`),
  "Mcp-Name encodes another": nameHeader((name, random) => encoded(other(random, NAMES, name))),
  "Mcp-Name encodes another case": nameHeader((name) => encoded(otherCase(name))),
  "Mcp-Name is encoded twice": nameHeader((name) => encoded(encoded(name))),
  "Mcp-Name with markers in another case": nameHeader((name, random) =>
    encoded(name).replace("base64", oneOf(random, ["BASE64", "Base64", "bASE64"])),
  ),
  "Mcp-Name with Base64 that no encoder writes": nameHeader((name, random) => {
    const base64 = Buffer.from(name, "utf8").toString("base64");
    const broken = [
      `${base64}=`,
      `${base64}A`,
      `!${base64}`,
      `${base64.slice(0, 3)} ${base64.slice(3)}`,
      base64.replace(/=+$/, ""),
    ];
    return `=?base64?${other(random, broken, base64)}?=`;
  }),
  "Mcp-Name encodes what is no UTF-8": nameHeader(
    (name) => `=?base64?${Buffer.concat([Buffer.from(name), Buffer.of(0xff)]).toString("base64")}?=`,
  ),
  "Mcp-Name is percent-encoded": nameHeader((name) =>
    /^[ -~]*$/.test(name)
      ? name.replace(/[a-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`)
      : encoded(encodeURI(name)),
  ),
  "Mcp-Name not encoded though it must be": nameHeader((name) =>
    /^[\0-\xff]*$/.test(name) && /[^ -~]/.test(name) ? name : undefined,
  ),
  "Mcp-Name decomposed": nameHeader((name) =>
    name.normalize("NFD") === name ? undefined : encoded(name.normalize("NFD")),
  ),
  "a name that looks encoded and is not": named((member, draft, random) => {
    member[1] = JSON.stringify(encoded(nameOf(member)));
    return header("mcp-name", () => JSON.parse(member[1]) as string)(draft, random) || true;
  }),
  "the body names another": named((member, _draft, random) => {
    member[1] = JSON.stringify(other(random, NAMES, nameOf(member)));
    return true;
  }),
  "the body's name is no text": named((member, draft, random) => {
    const name = nameOf(member);
    const line = find(draft, "mcp-name");
    const [json, said] = oneOf(random, [
      [JSON.stringify([name]), encoded(name)],
      ["null", "null"],
      ["5", "5"],
      ["true", "true"],
      ["{}", "[object Object]"],
    ] as const);
    member[1] = json;
    if (line !== undefined) line[1] = said;
    return true;
  }),
  "the body has no name": named((member, draft) => {
    draft.params = draft.params.filter((item) => item !== member);
    return true;
  }),
  "the name stands twice in the body": named((member, draft, random) => {
    const second = JSON.stringify(other(random, NAMES, nameOf(member)));
    draft.params.push([oneOf(random, [member[0], escapedKey(member[0])]), second]);
    return true;
  }),
  "the method stands twice in the body": (draft, random) => {
    draft.envelope.push([`"method"`, JSON.stringify(other(random, METHODS, methodOf(draft)))]);
    return true;
  },
  "the parameters stand twice in the body": named((member, draft, random) => {
    const second = draft.params.map((item): Member =>
      item === member ? [item[0], JSON.stringify(other(random, NAMES, nameOf(item)))] : item,
    );
    const params = (list: readonly Member[]): Member => [
      `"params"`,
      objectText([...list, [`"_meta"`, objectText(draft.meta)]]),
    ];
    return objectText([...draft.envelope, params(draft.params), params(second)]);
  }),
  "MCP-Protocol-Version is another": header("mcp-protocol-version", (_value, random) => oneOf(random, OTHER_REVISIONS)),
  "MCP-Protocol-Version is missing": dropHeader("mcp-protocol-version"),
  "MCP-Protocol-Version is empty": header("mcp-protocol-version", () => ""),
  "MCP-Protocol-Version is a list": header(
    "mcp-protocol-version",
    (value, random) => `${value}, ${oneOf(random, [value, ...OTHER_REVISIONS])}`,
  ),
  "Mcp-Method is sent twice": twice("mcp-method", METHODS),
  "Mcp-Name is sent twice": twice("mcp-name", NAMES),
  "MCP-Protocol-Version is sent twice": twice("mcp-protocol-version", OTHER_REVISIONS),
  "Mcp-Param-Shard is sent twice": twice("mcp-param-shard", ["43", "42"]),
  "_meta has another version": (draft, random) => {
    const member = memberOf(draft.meta, VERSION_KEY);
    if (member === undefined) return false;
    member[1] = oneOf(random, [
      ...OTHER_REVISIONS.map((item) => JSON.stringify(item)),
      "20260728",
      "null",
      `["${REVISION}"]`,
      "{}",
    ]);
    return true;
  },
  "the version stands twice in _meta": (draft, random) => {
    draft.meta.push([JSON.stringify(VERSION_KEY), JSON.stringify(oneOf(random, OTHER_REVISIONS))]);
    return true;
  },
  "Mcp-Param-Region is another": paramHeader("mcp-param-region", [
    "eu-west",
    "eu-w\u00e9st",
    encoded("eu-west"),
    encoded("EU-W\u00c9ST"),
    encoded("eu-we\u0301st"),
    "=?base64?!?=",
  ]),
  "Mcp-Param-Shard is another": paramHeader("mcp-param-shard", [
    "43",
    "",
    "4 2",
    "42x",
    "0x2b",
    "NaN",
    encoded("43"),
    "-42",
    "42.5",
  ]),
  "Mcp-Param-Region is missing": dropHeader("mcp-param-region"),
  "Mcp-Param-Shard is missing": dropHeader("mcp-param-shard"),
};

/** What is wrong in the body too: refused with a code that depends on what is seen first. */
export const OTHER_DISAGREEMENTS: Readonly<Record<string, Disagreement>> = {
  "_meta has no version": (draft, random) => {
    const member = memberOf(draft.meta, VERSION_KEY);
    draft.meta = draft.meta.filter((item) => item !== member);
    if (random.next() < 0.5) draft.meta.push([JSON.stringify(VERSION_KEY.toUpperCase()), JSON.stringify(REVISION)]);
    return true;
  },
  "_meta is no object": (draft, random) =>
    objectText([
      ...draft.envelope,
      [`"params"`, objectText([...draft.params, [`"_meta"`, oneOf(random, ["null", "[]", `"${REVISION}"`, "1"])]])],
    ]),
  "there are no parameters": (draft, random) =>
    objectText([
      ...draft.envelope,
      ...oneOf<Member[]>(random, [[], [[`"params"`, "null"]], [[`"params"`, "[]"]], [[`"params"`, `"x"`]]]),
    ]),
  "a name in another case beside it": named((member, draft, random) => {
    const key = JSON.parse(member[0]) as string;
    const variant = oneOf(random, [
      otherCase(key),
      key.replace("n", "N").replace("u", "U"),
      key.replace("a", "\uff41").replace("r", "\uff52"),
    ]);
    const more: Member = [JSON.stringify(variant), JSON.stringify(other(random, NAMES, nameOf(member)))];
    draft.params = random.next() < 0.5 ? [more, ...draft.params] : [...draft.params, more];
    return true;
  }),
  "a method in another case beside it": (draft, random) => {
    const more: Member = [
      oneOf(random, [`"Method"`, `"METHOD"`, `"\uff4dethod"`]),
      JSON.stringify(oneOf(random, METHODS)),
    ];
    draft.envelope = random.next() < 0.5 ? [more, ...draft.envelope] : [...draft.envelope, more];
    return true;
  },
  "parameters in another case beside them": (draft, random) => {
    draft.envelope.push([
      oneOf(random, [`"Params"`, `"PARAMS"`, `"param\u017f"`]),
      objectText(members({ name: oneOf(random, NAMES) })),
    ]);
    return true;
  },
  "a batch": (draft) => `[${bodyOf(draft)}]`,
  "two messages": (draft, random) => `${bodyOf(draft)}${oneOf(random, ["", " ", "\n", ","])}${bodyOf(draft)}`,
};
