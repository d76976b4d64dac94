import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { startFixtureHttp } from "@cortex-os/fixture-server";
import { expect, onTestFinished, test, vi } from "vitest";
import { modernPost } from "./support/modern-post.js";
import { startTestGateway } from "./support/test-gateway.js";

/** More than are told at once, so that the others are told one part after the other. */
const LISTENERS = 300;
const SESSIONS = 50;

const WAIT = { timeout: 30_000 };

/** One event stream of a client's. */
interface Listener {
  /** Notices of changed tools so far. */
  readonly notices: number;
  /** What it heard from now on is counted anew. */
  forget(): void;
}

async function answered(url: string, method: "GET" | "POST", headers: Record<string, string>, message?: object) {
  const sent = request(url, {
    method,
    agent: false,
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream", ...headers },
  });
  sent.end(message === undefined ? "" : JSON.stringify({ jsonrpc: "2.0", ...message }));
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  onTestFinished(() => void sent.destroy());
  expect(response.statusCode).toBe(200);
  return response;
}

function listener(response: IncomingMessage): Listener {
  let text = "";
  response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  response.on("error", () => {});
  return {
    get notices() {
      return text.split("notifications/tools/list_changed").length - 1;
    },
    forget: () => {
      text = "";
    },
  };
}

async function modernListener(url: string, id: number): Promise<Listener> {
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const method = "subscriptions/listen";
  const headers = { "mcp-protocol-version": "2026-07-28", "mcp-method": method };
  const params = { notifications: { toolsListChanged: true }, _meta };
  return listener(await answered(url, "POST", headers, { id, method, params }));
}

async function legacyListener(url: string): Promise<Listener> {
  const clientInfo = { name: "test", version: "1" };
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo };
  const opened = await answered(url, "POST", {}, { id: 1, method: "initialize", params });
  opened.resume();
  const session = opened.headers["mcp-session-id"];
  expect(session).toEqual(expect.any(String));
  const headers = { "mcp-session-id": String(session), "mcp-protocol-version": "2025-11-25" };
  return listener(await answered(url, "GET", headers));
}

test("R22: hundreds of clients of both eras hear of each change, and find it in the list that they ask for then", async () => {
  const [one, two] = [await startFixtureHttp({ name: "one" }), await startFixtureHttp({ name: "two" })];
  onTestFinished(async () => void (await Promise.all([one.close(), two.close()])));
  const entry = (name: string, { url }: { readonly url: string }) => ({ name, endpoint: url });
  const { url, close, writeRegistry } = await startTestGateway([entry("one", one)]);
  onTestFinished(close);
  const listeners = await Promise.all([
    ...Array.from({ length: LISTENERS }, (_, at) => modernListener(url, at)),
    ...Array.from({ length: SESSIONS }, () => legacyListener(url)),
  ]);
  const has = async (connector: string): Promise<boolean> => {
    const { message } = await modernPost(url, "tools/list", {});
    return JSON.stringify(message).includes(`"${connector}__echo"`);
  };
  const heard = (): number => listeners.filter(({ notices }) => notices > 0).length;
  await writeRegistry([entry("one", one), entry("two", two)]);
  await vi.waitFor(() => expect(heard()).toBe(LISTENERS + SESSIONS), WAIT);
  expect(await has("two")).toBe(true);
  for (const each of listeners) each.forget();
  await writeRegistry([entry("one", one)]);
  await vi.waitFor(() => expect(heard()).toBe(LISTENERS + SESSIONS), WAIT);
  expect(await has("two")).toBe(false);
});
