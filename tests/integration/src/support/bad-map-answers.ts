import type { RequestListener } from "node:http";
import { gzipSync } from "node:zlib";
import type { ManifestRule } from "@cortex-os/mcp";
import { connector, mapId, mapText } from "./map-text.js";

/** A good map, in what bad answers are made of. */
export interface GoodMap {
  readonly connectors: readonly object[];
  readonly id: string;
  readonly madeAtMs: number;
  /** As it was sent. */
  readonly text: string;
}

/** An answer that no gateway may use, and the rule by which it is refused. */
export type BadAnswer = readonly [name: string, rule: ManifestRule, answer: (good: GoodMap) => RequestListener];

const JSON_TYPE = { "content-type": "application/json" };

const sends =
  (body: string | Uint8Array, status = 200, headers: Readonly<Record<string, string>> = {}): RequestListener =>
  (_request, response) => {
    response.writeHead(status, { ...JSON_TYPE, ...headers }).end(body);
  };

const without = (text: string, member: string): string => {
  const { [member]: _left, ...rest } = JSON.parse(text) as Record<string, unknown>;
  return JSON.stringify(rest);
};

/** A map made now, later than `good`, with another id. */
const fresh = ({ connectors }: GoodMap, changes: Parameters<typeof mapText>[1] = {}, key?: string): string =>
  mapText(connectors, { id: mapId(999_999), ...changes }, key);

const endless: RequestListener = (_request, response) => {
  response.writeHead(200, JSON_TYPE);
  const more = (): void => {
    if (!response.destroyed) response.write(" ".repeat(65_536), () => setImmediate(more));
  };
  more();
};

const dripping: RequestListener = (_request, response) => {
  response.writeHead(200, JSON_TYPE);
  const drip = setInterval(() => response.write(" "), 20);
  response.on("close", () => clearInterval(drip));
};

const redirecting =
  (location: string): RequestListener =>
  (_request, response) => {
    response.writeHead(307, { location }).end();
  };

const cutInTheBody =
  (text: string): RequestListener =>
  (_request, response) => {
    response.writeHead(200, { ...JSON_TYPE, "content-length": text.length });
    response.write(text.slice(0, text.length / 2), () => response.destroy());
  };

/** The bad input that issue and requirements name, each as a publisher would send it. `elsewhere` is where redirects lead. */
export const badAnswers = (elsewhere: string): readonly BadAnswer[] => [
  ["unsigned", "unsigned", (good) => sends(without(fresh(good), "signature"))],
  ["signed with nothing", "unsigned", (good) => sends(fresh(good).replace(/"signature":"[^"]+"/, '"signature":""'))],
  ["changed after it was signed", "signature", (good) => sends(fresh(good).replace("brAInwav", "brAInwaw"))],
  ["signed with another key", "signature", (good) => sends(fresh(good, {}, "k".repeat(40)))],
  ["signed with a key of unknown id", "unknown-key", (good) => sends(fresh(good, { kid: "k9" }))],
  ["expired", "expired", (good) => sends(fresh(good, { madeAtMs: Date.now() - 301_000 }))],
  ["older", "older", (good) => sends(fresh(good, { madeAtMs: good.madeAtMs - 1 }))],
  ["as old, of an earlier id", "older", (good) => sends(fresh(good, { id: mapId(0), madeAtMs: good.madeAtMs }))],
  [
    "another map under the same id and time",
    "conflict",
    ({ connectors, id, madeAtMs }) => sends(mapText(connectors, { id, madeAtMs, ttlSeconds: 299 })),
  ],
  ["from the future", "future", (good) => sends(fresh(good, { madeAtMs: Date.now() + 120_000 }))],
  ["to live for more than a day", "ttl", (good) => sends(fresh(good, { ttlSeconds: 86_401 }))],
  ["too large", "size", (good) => sends(fresh(good).padEnd(1_048_577))],
  ["not JSON", "json", () => sends("hello")],
  ["JSON and no map", "json", () => sends("[]")],
  ["a member twice", "json", (good) => sends(fresh(good).replace("{", '{"brand":"other",'))],
  ["HTML with 200", "json", () => sends("<!doctype html>", 200, { "content-type": "text/html" })],
  ["truncated", "json", (good) => sends(fresh(good).slice(0, -10))],
  ["not UTF-8", "encoding", () => sends(Buffer.from([0x22, 0xff, 0x22]))],
  ["no gzip, as it says", "encoding", (good) => sends(fresh(good), 200, { "content-encoding": "gzip" })],
  ["a compressed bomb", "size", () => sends(gzipSync(Buffer.alloc(50_000_000)), 200, { "content-encoding": "gzip" })],
  ["slow for ever", "timeout", () => dripping],
  ["silent", "timeout", () => () => {}],
  ["endless", "size", () => endless],
  ["a redirect to elsewhere", "redirect", () => redirecting(elsewhere)],
  ["404", "http-status", (good) => sends(fresh(good), 404)],
  ["500", "http-status", (good) => sends(fresh(good), 500)],
  ["304 to whom has nothing", "not-modified", () => (_request, response) => response.writeHead(304).end()],
  ["cut in the body", "network", (good) => cutInTheBody(fresh(good))],
  ["cut before a word", "network", () => (request) => request.socket.destroy()],
  [
    "one bad connector",
    "schema",
    ({ connectors }) =>
      sends(mapText([...connectors, connector("bad", "ftp://127.0.0.1/mcp")], { id: mapId(999_999) })),
  ],
  ["a connector twice", "schema", ({ connectors: [one = {}] }) => sends(mapText([one, one], { id: mapId(999_999) }))],
];
