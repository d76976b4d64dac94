import { startJsonRpcServer, type JsonRpcServer } from "./json-rpc-server.js";

/** The address of the page that the server's tool comes with. */
export const PAGE = "ui://clock/main.html";

/** What the server says of itself, with what no gateway knows. */
export const SAID = {
  capabilities: {
    tools: { listChanged: true },
    resources: {},
    extensions: { "io.modelcontextprotocol/ui": { mimeTypes: ["text/html;profile=mcp-app"] } },
    experimental: { "com.example/own": { deep: [1] } },
  },
  serverInfo: { name: "clock", version: "3.1", title: "A clock", websiteUrl: "https://clock.example" },
  instructions: "Ask for the time.",
} as const;

/** Its tools, as it lists them: in either spelling of MCP Apps, and under names that a merged list would change. */
export const TOOLS = [
  { name: "clock.legacy", inputSchema: { type: "object" }, _meta: { "ui/resourceUri": PAGE } },
  {
    name: "show_clock",
    title: "Show",
    inputSchema: { type: "object", properties: { zone: { type: "string" } } },
    _meta: { ui: { resourceUri: PAGE, visibility: ["model", "app"] }, "com.example/own": { deep: [null] } },
    "x-own": { kept: true },
  },
] as const;

/** Its page, as it lists it. */
export const RESOURCES = [
  { uri: PAGE, name: "Clock", mimeType: "text/html;profile=mcp-app", _meta: { ui: { prefersBorder: true } } },
] as const;

/** Its page, as it is read. */
export const CONTENTS = [
  {
    uri: PAGE,
    mimeType: "text/html;profile=mcp-app",
    text: "<!doctype html><title>Clock</title>",
    _meta: { ui: { csp: { connectDomains: ["https://time.example"] }, permissions: { geolocation: {} } } },
  },
] as const;

/** What a call of the tool brings. */
export const CALLED = {
  content: [{ type: "text", text: "noon", _meta: { "com.example/own": 1 } }],
  structuredContent: { hour: 12 },
  _meta: { "com.example/result": { viewUUID: "u" } },
} as const;

const { serverInfo, ...rest } = SAID;
const MODERN = {
  "server/discover": {
    ...rest,
    supportedVersions: ["2026-07-28"],
    _meta: { "io.modelcontextprotocol/serverInfo": serverInfo, "com.example/own": true },
    ttlMs: 1_000,
    cacheScope: "private",
    "x-own": [1],
  },
};
const LEGACY = {
  initialize: { ...SAID, protocolVersion: "2025-11-25", _meta: { "com.example/own": true }, "x-own": [1] },
};
const HINTS = { ttlMs: 0, cacheScope: "private" };

/** A server of one era whose tool comes with a page (MCP Apps), and that says more than the protocol knows. */
export async function startAppsUpstream(era: "modern" | "legacy"): Promise<JsonRpcServer> {
  const hints = era === "modern" ? HINTS : {};
  const answers: Readonly<Record<string, object>> = {
    ...(era === "modern" ? MODERN : LEGACY),
    "tools/list": { tools: TOOLS, ...hints },
    "resources/list": { resources: RESOURCES, ...hints },
    "resources/templates/list": { resourceTemplates: [], ...hints },
    "resources/read": { contents: CONTENTS, ...hints },
    "tools/call": CALLED,
  };
  return startJsonRpcServer(({ method }) => {
    const answer = answers[method];
    return answer === undefined || era === "legacy" ? answer : { resultType: "complete", ...answer };
  });
}
