// A real gateway with connectors in several states, asked by clients of both eras: what /metrics says of all that.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { root } from "./workspace.mjs";

const MAIN = path.join(root, "apps/cortex-mcp/bundle/main.js");
const FIXTURE = path.join(root, "examples/fixture-server/dist");
/** Nobody listens there. */
const NOWHERE = "http://127.0.0.1:9/mcp";
const DEADLINE_MS = 60_000;
const JSON_HEADERS = { "content-type": "application/json", accept: "application/json, text/event-stream" };

/** @typedef {import("node:child_process").ChildProcess} ChildProcess */
/** @typedef {Record<string, unknown>} Params */

/** @param {ChildProcess} child */
async function ended(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  await gone;
}

/**
 * Sends one HTTP request and reads the whole answer.
 *
 * @param {string} url
 * @param {import("node:http").RequestOptions} options
 * @param {string} [body]
 * @returns {Promise<{ headers: import("node:http").IncomingHttpHeaders, text: string }>}
 */
function send(url, options, body = "") {
  return new Promise((resolve, reject) => {
    const sent = request(url, options, (response) => {
      resolve(text(response).then((answer) => ({ headers: response.headers, text: answer })));
    });
    sent.once("error", reject);
    sent.end(body);
  });
}

/**
 * A modern request.
 *
 * @param {string} url
 * @param {string} method
 * @param {Params} [params]
 * @param {import("node:http").RequestOptions} [options]
 */
function modern(url, method, params = {}, options = {}) {
  const meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const name = /** @type {string | undefined} */ (params["name"]);
  const headers = {
    ...JSON_HEADERS,
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": method,
    ...(name === undefined ? {} : { "mcp-name": name }),
  };
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: { _meta: meta, ...params } });
  return send(url, { method: "POST", headers, ...options }, body);
}

/**
 * A legacy session that lists and calls.
 *
 * @param {string} url
 */
async function legacyClient(url) {
  const post = (/** @type {Params} */ message, /** @type {Record<string, string>} */ own = {}) =>
    send(url, { method: "POST", headers: { ...JSON_HEADERS, ...own } }, JSON.stringify({ jsonrpc: "2.0", ...message }));
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "metrics", version: "1" } };
  const { headers } = await post({ id: 0, method: "initialize", params });
  const session = { "mcp-session-id": String(headers["mcp-session-id"]), "mcp-protocol-version": "2025-11-25" };
  await post({ method: "notifications/initialized" }, session);
  await post({ id: 1, method: "tools/list" }, session);
  await post({ id: 2, method: "tools/call", params: { name: "child__echo", arguments: { message: "x" } } }, session);
  await post({ id: 3, method: "no/such/method" }, session);
}

/** @param {string} url */
async function everyKindOfRequest(url) {
  await modern(url, "server/discover");
  for (const feature of ["tools", "resources", "prompts"]) await modern(url, `${feature}/list`);
  await modern(url, "tools/call", { name: "web__echo", arguments: { message: "x" } });
  await modern(url, "tools/call", { name: "docs__echo", arguments: { message: "x" } });
  await modern(url, "tools/call", { name: "no_such_tool" });
  await modern(url, "tools/call", { name: "gone__echo" });
  const impatient = { signal: AbortSignal.timeout(200) };
  await modern(url, "tools/call", { name: "web__slow", arguments: { ms: 30_000 } }, impatient).catch(() => {});
  await legacyClient(url);
  await send(url, { method: "POST", headers: { ...JSON_HEADERS, host: "evil.example" } }, "{}");
  await send(url, { method: "POST", headers: JSON_HEADERS }, "{");
}

/**
 * Starts it all, and returns what `/metrics` says in the end. Nothing is left running.
 *
 * @returns {Promise<string>}
 * @throws when something does not start, or does not come up within a minute
 */
export async function scrapeMeasuredGateway() {
  const home = mkdtempSync(path.join(tmpdir(), "cortex-metrics-"));
  /** @type {ChildProcess[]} */
  const children = [];
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:CORTEX_|CONNECTORS_)/.test(name)),
  );
  const start = async (/** @type {readonly string[]} */ args, /** @type {NodeJS.ProcessEnv} */ own = {}) => {
    const child = spawn(process.execPath, args, {
      cwd: home,
      stdio: ["ignore", "pipe", "ignore"],
      env: { ...env, CORTEX_HOME: home, ...own },
    });
    children.push(child);
    let url = "";
    for await (const line of createInterface({ input: child.stdout })) {
      url = /http:\/\/\S+/.exec(line)?.[0] ?? "";
      if (url !== "") break;
    }
    if (url === "") throw new Error(`${args.join(" ")} ended before it was ready`);
    child.stdout.resume();
    return { url, child };
  };
  const run = async (/** @type {readonly string[]} */ args) => {
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd: home,
      stdio: "ignore",
      env: { ...env, CORTEX_HOME: home },
    });
    const [code] = await once(child, "exit");
    if (code !== 0) throw new Error(`cortex-mcp ${args.join(" ")} exited with ${code}`);
  };
  try {
    const web = await start([path.join(FIXTURE, "http-main.js")]);
    const entry = { version: "1", auth: { type: "none" }, scopes: ["read"], status: "enabled", ttlSeconds: 300 };
    const connectors = [
      { ...entry, id: "docs", name: "Docs", endpoint: web.url },
      { ...entry, id: "gone", name: "Gone", endpoint: NOWHERE },
    ];
    writeFileSync(path.join(home, "manifest.json"), JSON.stringify({ brand: "Example", connectors }));
    await run(["map", "keygen", "--out", "keys.json", "--public", "public.json"]);
    const publisher = await start([MAIN, "map", "serve", "manifest.json", "--keys", "keys.json", "--port", "0"]);
    await run(["add", "web", web.url]);
    await run(["add", "child", "--", process.execPath, path.join(FIXTURE, "stdio-main.js")]);
    await run(["add", "off", NOWHERE]);
    await run(["disable", "off"]);
    const gateway = await start([MAIN, "serve", "--port", "0"], {
      CONNECTORS_SERVICE_MAP_URL: publisher.url,
      CONNECTORS_KEYS_FILE: "public.json",
    });
    const scrape = async () => (await send(new URL("/metrics", gateway.url).href, {})).text;
    const until = async (/** @type {string} */ line, wanted = true) => {
      const deadline = performance.now() + DEADLINE_MS;
      while ((await scrape()).includes(line) !== wanted) {
        const which = wanted ? "not yet" : "still";
        if (performance.now() > deadline) throw new Error(`${line} is ${which} in /metrics after ${DEADLINE_MS} ms`);
        await new Promise((resolve) => {
          setTimeout(resolve, 50);
        });
      }
    };
    for (const key of ["web", "child", "docs"]) await until(`brainwav_mcp_connector_proxy_up{connector="${key}"} 1`);
    await everyKindOfRequest(gateway.url);
    await run(["add", "broken", NOWHERE]);
    await until('brainwav_mcp_connector_failures_total{connector="broken"} 1');
    await run(["remove", "broken"]);
    await until('connector="broken"', false);
    return await scrape();
  } finally {
    for (const child of children.toReversed()) await ended(child);
    rmSync(home, { recursive: true, force: true });
  }
}
