import { request } from "undici";
import { REVISION } from "./minimal-server.js";

const HEADERS = { "content-type": "application/json", accept: "application/json, text/event-stream" };

/**
 * Opens a session as a client of the legacy era does.
 * @returns its id; `undefined` when the server keeps none
 * @throws Error when the server refuses
 */
export async function openSession(url: string): Promise<string | undefined> {
  const params = {
    protocolVersion: REVISION.legacy,
    capabilities: {},
    clientInfo: { name: "benchmark", version: "1.0.0" },
  };
  const answer = await post(url, {}, { id: 0, method: "initialize", params });
  if (!answer.text.includes('"result"')) throw new Error(`initialize was answered with ${answer.text.slice(0, 200)}`);
  const session = answer.session === undefined ? {} : { "mcp-session-id": answer.session };
  await post(url, { ...session, "mcp-protocol-version": REVISION.legacy }, { method: "notifications/initialized" });
  return answer.session;
}

async function post(url: string, headers: Readonly<Record<string, string>>, message: object) {
  const response = await request(url, {
    method: "POST",
    headers: { ...HEADERS, ...headers },
    body: JSON.stringify({ jsonrpc: "2.0", ...message }),
  });
  const text = await response.body.text();
  if (response.statusCode >= 300) throw new Error(`answered ${response.statusCode}: ${text.slice(0, 200)}`);
  const session = response.headers["mcp-session-id"];
  return { text, session: typeof session === "string" ? session : undefined };
}
