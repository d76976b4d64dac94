import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { SurfaceGateway } from "./surface-gateway.js";

const REVISION = "2026-07-28";

/** One modern request, its result as it came over the wire. */
export type RawModern = (method: string, params: Record<string, unknown>) => Promise<Record<string, unknown>>;

const messageOf = (method: string, params: Record<string, unknown>): object => ({
  jsonrpc: "2.0",
  id: 1,
  method,
  params: {
    ...params,
    _meta: {
      "io.modelcontextprotocol/protocolVersion": REVISION,
      "io.modelcontextprotocol/clientCapabilities": {},
    },
  },
});

/** Over HTTP; the answer may be JSON or a stream of events. */
export const rawOverHttp =
  ({ url }: SurfaceGateway): RawModern =>
  async (method, params) => {
    const { name, uri } = params;
    const response = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        "mcp-protocol-version": REVISION,
        "mcp-method": method,
        "mcp-name": String(name ?? uri),
      },
      body: JSON.stringify(messageOf(method, params)),
    });
    const text = await response.text();
    const data = text.startsWith("{") ? text : (/^data: (.*)$/m.exec(text)?.[1] ?? "");
    return resultOf(data);
  };

/** By a relay of its own that lives for the request. */
export const rawOverStdio =
  ({ stdio }: SurfaceGateway): RawModern =>
  async (method, params) => {
    const child = spawn(stdio.command, stdio.args, { env: stdio.env, stdio: ["pipe", "pipe", "ignore"] });
    const closed = once(child, "close");
    child.stdin.write(`${JSON.stringify(messageOf(method, params))}\n`);
    const [line] = await once(createInterface({ input: child.stdout }), "line");
    child.stdin.end();
    await closed;
    return resultOf(String(line));
  };

function resultOf(text: string): Record<string, unknown> {
  const { result } = JSON.parse(text) as { readonly result?: Record<string, unknown> };
  if (result === undefined) throw new Error(`no result: ${text}`);
  return result;
}
