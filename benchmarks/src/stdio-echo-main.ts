import { isJsonObject } from "@cortex-os/mcp-core/wire";

/**
 * An upstream over stdio that is never the bottleneck: revision 2026-07-28 with one tool, `echo`, and nothing else. It reads whatever has come, answers it all, and
 * writes once.
 */
const DISCOVERED = {
  resultType: "complete",
  supportedVersions: ["2026-07-28"],
  capabilities: { tools: {} },
  serverInfo: { name: "stdio-echo", version: "1.0.0" },
  ttlMs: 0,
  cacheScope: "private",
};
const LISTED = {
  resultType: "complete",
  tools: [{ name: "echo", inputSchema: { type: "object", properties: { message: { type: "string" } } } }],
  ttlMs: 0,
  cacheScope: "private",
};

function answerTo(request: unknown): object | undefined {
  const { id, method, params } = isJsonObject(request) ? request : {};
  if (id === undefined) return undefined;
  if (method === "server/discover") return { jsonrpc: "2.0", id, result: DISCOVERED };
  if (method === "tools/list") return { jsonrpc: "2.0", id, result: LISTED };
  if (method !== "tools/call") return { jsonrpc: "2.0", id, error: { code: -32_601, message: "Method not found" } };
  const given = isJsonObject(params) ? params["arguments"] : undefined;
  const text = isJsonObject(given) ? given["message"] : undefined;
  return { jsonrpc: "2.0", id, result: { resultType: "complete", content: [{ type: "text", text }] } };
}

let held = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (text: string) => {
  const lines = (held + text).split("\n");
  held = lines.pop() ?? "";
  let answers = "";
  for (const line of lines) {
    const answer = answerTo(JSON.parse(line));
    if (answer !== undefined) answers += `${JSON.stringify(answer)}\n`;
  }
  if (answers !== "") process.stdout.write(answers);
});
