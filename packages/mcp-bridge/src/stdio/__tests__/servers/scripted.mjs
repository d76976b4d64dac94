// An MCP server over stdio whose every vice is asked for on its command line: --era legacy|modern|both, and the flags below.
import { appendFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";

const { values: flags } = parseArgs({
  options: {
    era: { type: "string", default: "legacy" },
    /** Answers no method that it does not know. */
    silent: { type: "boolean", default: false },
    /** Exits as soon as it is asked to discover itself. */
    "dies-of-probe": { type: "boolean", default: false },
    /** Reads nothing for so many milliseconds. */
    "starts-after": { type: "string", default: "0" },
    /** Answers `server/discover` with this error object. */
    "discover-error": { type: "string" },
    /** Lists these revisions (comma-separated) instead of its own. */
    revisions: { type: "string" },
    /** Refuses `initialize` with this message. */
    "refuse-initialize": { type: "string" },
    /** Says the word on stderr before anything else. */
    says: { type: "string" },
    /** Exits with this code before reading anything. */
    "exits-at-once": { type: "string" },
    /** Has these capabilities, as JSON. */
    capabilities: { type: "string", default: '{"tools":{"listChanged":true}}' },
    "ignore-eof": { type: "boolean", default: false },
    /** Appends every message it gets to this file. */
    journal: { type: "string" },
  },
});

/** An error answer with all its members. */
class RpcError extends Error {
  constructor(object) {
    super(object.message);
    this.object = object;
  }
}

const META = "io.modelcontextprotocol/";
const MODERN = "2026-07-28";
const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const text = (value) => ({
  content: [{ type: "text", text: typeof value === "string" ? value : JSON.stringify(value) }],
});

const running = new Map();
const answers = new Map();
const listening = new Set();
const seen = [];
const asked = [];
let session;

const tools = {
  echo: async ({ value, delayMs = 0 }) => {
    await wait(delayMs);
    return text(value);
  },
  pid: () => text(String(process.pid)),
  env: ({ name }) => text(process.env[name] ?? "(unset)"),
  cwd: () => text(process.cwd()),
  hang: () => new Promise(() => {}),
  params: (_, { params }) => text(params),
  seen: () => text(seen),
  /** Every request so far, with its params. */
  asked: () => text(asked),
  /** Says these things, to whoever listens if it is for subscribers. */
  say: ({ messages, toSubscribers = false }) => {
    for (const { method, params = {} } of messages) {
      if (!toSubscribers) send({ method, params });
      for (const id of toSubscribers ? listening : [])
        send({ method, params: { ...params, _meta: { ...params._meta, [`${META}subscriptionId`]: id } } });
    }
    return text("ok");
  },
  session: () => text(session ?? "(none)"),
  exit: ({ code, words = "" }) => {
    if (words !== "") process.stderr.write(`${words}\n`);
    setTimeout(() => process.exit(code), 20);
    return new Promise(() => {});
  },
  crash: ({ signal }) => {
    process.kill(process.pid, signal);
    return new Promise(() => {});
  },
  lastWord: ({ value }) => {
    setTimeout(() => process.exit(0), 5);
    return text(value);
  },
  closeOutput: () => {
    process.stdout.end();
    return new Promise(() => {});
  },
  progress: async ({ steps, pauseMs = 0 }, { token }) => {
    for (let step = 1; step <= steps; step += 1) {
      if (token !== undefined)
        send({ method: "notifications/progress", params: { progressToken: token, progress: step, total: steps } });
      await wait(pauseMs);
    }
    return text("done");
  },
  strangers: () => {
    send({ method: "notifications/progress", params: { progressToken: 999_999, progress: 1 } });
    send({ method: "notifications/progress", params: { progressToken: "x", progress: 1 } });
    send({ method: "notifications/message", params: { level: "info", data: "for somebody" } });
    send({ id: 999_999, result: {} });
    send({ id: "1", result: {} });
    return text("ok");
  },
  ask: async () => {
    send({ id: "p", method: "ping" });
    send({ id: "r", method: "roots/list" });
    while (answers.size < 2 && flags.era === "legacy") await wait(1);
    await wait(20);
    return text(Object.fromEntries(answers));
  },
  changed: () => {
    if (flags.era === "legacy") send({ method: "notifications/tools/list_changed" });
    for (const id of listening) {
      send({ method: "notifications/tools/list_changed", params: { _meta: { [`${META}subscriptionId`]: id } } });
    }
    send({ method: "notifications/prompts/list_changed" });
    return text("ok");
  },
  endListening: ({ how }) => {
    for (const id of listening) {
      if (how === "result") send({ id, result: { resultType: "complete" } });
      else send({ method: "notifications/cancelled", params: { requestId: id } });
    }
    listening.clear();
    return text("ok");
  },
  garbage: ({ lines }) => {
    for (let line = 0; line < lines; line += 1)
      process.stdout.write(`** banner ${line} ${process.env.API_KEY ?? ""}\n\n`);
    return text("ok");
  },
  raw: async ({ line }, { id }) => {
    process.stdout.write(`${line.replaceAll("$ID", String(id))}\n`);
    await wait(1_000_000);
  },
  long: ({ bytes }) => text("x".repeat(bytes)),
  fail: () => {
    throw new Error("it failed");
  },
};

const granted = ({ resourceSubscriptions: uris, ...lists }) =>
  uris === undefined ? lists : { ...lists, resourceSubscriptions: uris.filter((uri) => !uri.startsWith("refused:")) };
const facts = () => ({ capabilities: JSON.parse(flags.capabilities), instructions: "Be kind." });
const serverInfo = { name: "scripted", version: "1.0.0" };
const speaks = (era) => flags.era === era || flags.era === "both";

const methods = {
  "server/discover": () => {
    if (flags["discover-error"] !== undefined) throw new RpcError(JSON.parse(flags["discover-error"]));
    if (flags["dies-of-probe"]) process.exit(3);
    if (!speaks("modern")) return undefined;
    const supportedVersions = flags.revisions?.split(",") ?? (flags.era === "both" ? [MODERN, "2025-11-25"] : [MODERN]);
    return { resultType: "complete", supportedVersions, ...facts(), _meta: { [`${META}serverInfo`]: serverInfo } };
  },
  initialize: (params) => {
    if (flags["refuse-initialize"] !== undefined)
      throw new RpcError({ code: -32_000, message: flags["refuse-initialize"] });
    if (!speaks("legacy")) return undefined;
    session = params;
    return { protocolVersion: flags.revisions ?? params.protocolVersion, serverInfo, ...facts() };
  },
  "tools/list": () => ({ tools: Object.keys(tools).map((name) => ({ name, inputSchema: { type: "object" } })) }),
  "tools/call": (params, context) => tools[params.name]?.(params.arguments ?? {}, context),
  "subscriptions/listen": async (params, { id }) => {
    listening.add(id);
    send({
      method: "notifications/subscriptions/acknowledged",
      params: { _meta: { [`${META}subscriptionId`]: id }, notifications: granted(params.notifications) },
    });
    return new Promise(() => {});
  },
  ping: () => ({}),
  "resources/subscribe": ({ uri }) => {
    if (uri.startsWith("refused:")) throw new RpcError({ code: -32_002, message: "Resource not found" });
    return {};
  },
  "resources/unsubscribe": () => ({}),
  "logging/setLevel": ({ level }) => {
    if (level === "alert") throw new RpcError({ code: -32_602, message: "not so loud" });
    return {};
  },
  "resources/read": (params) => ({ contents: [{ uri: params.uri, strange: true }], params }),
  "com.example/vendor": async (params, { token }) => {
    if (token !== undefined)
      send({ method: "notifications/progress", params: { progressToken: token, progress: 1, strange: [1] } });
    return { params };
  },
};

async function onRequest({ id, method, params = {} }) {
  running.set(id, method);
  asked.push({ id, method, params });
  try {
    const result = await methods[method]?.(params, { id, params, token: params._meta?.progressToken });
    if (result !== undefined) send({ id, result });
    else if (!flags.silent) send({ id, error: { code: -32_601, message: `Method not found: ${method}` } });
  } catch (error) {
    send({ id, error: error instanceof RpcError ? error.object : { code: -32_603, message: error.message } });
  }
  running.delete(id);
}

function onMessage(message) {
  if (flags.journal !== undefined) appendFileSync(flags.journal, `${JSON.stringify(message)}\n`);
  seen.push(message.method ?? message);
  if (message.method === undefined) answers.set(message.id, message.result ?? message.error);
  else if (message.id !== undefined) void onRequest(message);
  else if (message.method === "notifications/cancelled") {
    listening.delete(message.params.requestId);
    seen.push({ cancelled: message.params, was: running.get(message.params.requestId) });
  }
}

if (flags.says !== undefined) process.stderr.write(`${flags.says}\n`);
if (flags["exits-at-once"] !== undefined) process.exit(Number(flags["exits-at-once"]));
if (flags["ignore-eof"]) {
  process.on("SIGTERM", () => {});
  setInterval(() => {}, 1_000);
}
await wait(Number(flags["starts-after"]));
for await (const line of createInterface({ input: process.stdin })) onMessage(JSON.parse(line));
if (!flags["ignore-eof"]) process.exit(0);
