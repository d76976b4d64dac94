import { startFixtureHttp, startFixtureSse, stdioMainPath } from "@cortex-os/fixture-server";
import type { ServerInfo } from "@cortex-os/mcp-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { askingClient, WAYS, type AskingGateway, type Way } from "./support/asking-clients.js";
import { startSurfaceGateway, type SurfaceGateway } from "./support/surface-gateway.js";

const stdio = [stdioMainPath, "--era", "legacy"];
/** The kinds of upstream that ask, by name. */
const UPSTREAMS = {
  http: async () => {
    const server = await startFixtureHttp({ era: "legacy" });
    return { entry: { endpoint: server.url }, close: async () => server.close() };
  },
  old: async () => {
    const server = await startFixtureSse({});
    return { entry: { endpoint: server.url, transport: "sse" as const }, close: async () => server.close() };
  },
  shared: async () => ({ entry: { command: process.execPath, args: stdio }, close: async () => {} }),
  isolated: async () => ({
    entry: { command: process.execPath, args: stdio, isolation: "session" as const },
    close: async () => {},
  }),
};
type Upstream = keyof typeof UPSTREAMS;
const names = Object.keys(UPSTREAMS) as Upstream[];
const ways = Object.keys(WAYS) as Way[];

const running: (() => Promise<unknown>)[] = [];
let front: SurfaceGateway;
let gateway: AskingGateway;

beforeAll(async () => {
  const entries: ServerInfo[] = [];
  for (const name of names) {
    const { entry, close } = await UPSTREAMS[name]();
    entries.push({ name, ...entry });
    running.push(close);
  }
  front = await startSurfaceGateway(entries, { legacySse: true });
  running.unshift(async () => front.close());
  gateway = { url: front.url, sse: new URL("/sse", front.url).href, stdio: front.stdio };
}, 60_000);

afterAll(async () => {
  for (const close of running) await close();
}, 60_000);

describe.each(ways)("a legacy client over %s (R22)", (way) => {
  describe.each(names)("is asked by a legacy upstream, %s", (name) => {
    test("for an elicitation, a sampling and its roots, and its answers come back unchanged", async () => {
      const client = await askingClient(gateway, way, "anna");
      const ask = (kind: string, params?: object) => client.ask(`${name}__ask`, { kind, ...(params && { params }) });
      const message = "Which?";
      const requestedSchema = { type: "object", properties: {} };
      expect(await ask("elicitation", { message, requestedSchema })).toMatchObject({
        answer: { action: "accept", content: { name: "anna to Which?" } },
      });
      expect(await ask("sampling")).toMatchObject({ answer: { model: "anna", content: { text: "Paris" } } });
      expect(await ask("roots")).toEqual({ answer: { roots: [{ uri: "file:///anna" }] } });
      const url = { mode: "url", message: "Go", url: "https://example.com/", elicitationId: "e1" };
      expect(await ask("elicitation", url)).toMatchObject({ answer: { action: "accept" } });
      const asked = client.asked.filter((what) => what !== "roots/list");
      expect(asked).toEqual(["elicitation/create Which?", "sampling/createMessage", "elicitation/create Go"]);
    });
  });
});
