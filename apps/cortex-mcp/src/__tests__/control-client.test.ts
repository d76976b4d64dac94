import { createServer, type RequestListener } from "node:http";
import path from "node:path";
import { systemTimers } from "@cortex-os/mcp-core";
import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { ControlClient } from "../control/control-client.js";
import { pickUp, pickupText } from "../control/pickup.js";
import type { RunningGateway } from "../state/running-gateway.js";
import { createTestIo, temporaryFolder } from "./test-io.js";

/** Something else than a gateway of this version, listening on a socket. */
async function stranger(listener: RequestListener, socket?: string): Promise<string> {
  const file = socket ?? path.join(await temporaryFolder(), "s.sock");
  const server = createServer(listener).listen(file);
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => {
    server.close().closeAllConnections();
  });
  return file;
}

const at = (socket: string, pid?: number): RunningGateway => ({
  socket,
  record: pid === undefined ? undefined : { pid, url: "http://127.0.0.1:1/mcp", version: "0", socket },
});

describe("the control client", () => {
  test.each([
    ["no JSON", 200, "<html>"],
    ["another shape", 200, '{"version":1}'],
    ["an error status", 500, "{}"],
  ])("says that it does not understand %s", async (_what, status, body) => {
    const socket = await stranger((_request, response) => response.writeHead(status).end(body));
    await expect(new ControlClient(at(socket), systemTimers).status()).rejects.toMatchObject({
      code: "UPSTREAM_PROTOCOL",
      message: expect.stringMatching(
        /answered \/api\/v1\/status with HTTP \d+ .+; restart it, it may be of another version$/,
      ),
    });
  });

  test("keeps what a newer gateway adds, and the codes of its errors", async () => {
    const view = { version: "9", startedAt: "x", tools: 1, connectors: [], problems: [], future: true };
    const socket = await stranger((request, response) => {
      if (request.url === "/api/v1/status") response.end(JSON.stringify(view));
      else response.writeHead(400).end('{"error":{"code":-31004,"message":"not ready"}}');
    });
    const client = new ControlClient(at(socket), systemTimers);
    expect(await client.status()).toEqual(view);
    await expect(client.tools()).rejects.toMatchObject({ code: -31_004, message: "not ready" });
  });

  test("tells a gateway that goes away from a command that is interrupted", async () => {
    const away = await stranger((request) => request.socket.destroy());
    const client = new ControlClient(at(away), systemTimers);
    const gone = { code: "NOT_READY", message: "the running gateway went away before it answered" };
    await expect(client.reload()).rejects.toMatchObject(gone);
    await expect(client.call("x", {}, new AbortController().signal)).rejects.toMatchObject(gone);
    await expect(client.call("x", {}, AbortSignal.abort())).rejects.toMatchObject({ code: "CANCELLED" });
    const half = await stranger((_request, response) => {
      response.writeHead(200, { "content-length": "100" }).write("{", () => response.destroy());
    });
    await expect(new ControlClient(at(half), systemTimers).status()).rejects.toMatchObject(gone);
  });

  test.each([
    [
      "status",
      7,
      3_000,
      "the running gateway (pid 7) did not answer within 3 s; kill -CONT 7 wakes one that was suspended, kill -9 7 ends it",
    ],
    ["reload", undefined, 3_000, "the running gateway did not answer within 3 s; end it and start it anew"],
    ["tools", undefined, 30_000, "the running gateway did not answer within 30 s; end it and start it anew"],
  ] as const)("does not wait for ever for %s, and says what to do", async (method, pid, withinMs, message) => {
    let asked = false;
    const silent = await stranger(() => {
      asked = true;
    });
    const time = new ManualTime();
    const answer = new ControlClient(at(silent, pid), time)[method]();
    const refusal = expect(answer).rejects.toMatchObject({ code: "NOT_READY", message });
    await vi.waitFor(() => {
      expect(asked).toBe(true);
    });
    expect(time.delays).toEqual([withinMs]);
    await time.advance(withinMs);
    await refusal;
    expect(time.pending).toBe(0);
  });

  test("a change that a running gateway cannot be told of is made all the same, and said", async () => {
    const io = await createTestIo();
    await io.run("add", "a", "https://a.example/mcp");
    await stranger((_request, response) => response.end("odd"), path.join(io.home, "mcp/gateway.sock"));
    const ran = await io.run("disable", "a");
    expect(ran).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Disabled "a"\.\nThe running gateway could not be told: .+\.$/),
    });
    expect(pickupText(await pickUp(io, "a"), true)).toMatch(/could not be told/);
    expect(await io.run("status", "--json")).toMatchObject({ code: 1, err: "" });
    const list = await io.run("list");
    expect([list.code, list.out]).toEqual([0, expect.stringMatching(/^a {5}registry {2}http {7}unknown /m)]);
    expect(list.err).toMatch(/^cortex-mcp: warning: the running gateway answered .+ nothing this version understands/);
  });

  test("a gateway that has not picked a server up yet is not taken for one that has", () => {
    const pickup = { running: true, url: "http://h/mcp", connector: undefined } as const;
    expect(pickupText(pickup, true)).toBe("The running gateway at http://h/mcp has not picked it up yet.");
    const down = { key: "a", source: "registry", state: "down", reason: "no answer", tools: 0, since: "x" } as const;
    expect(pickupText({ ...pickup, connector: down }, true)).toMatch(/ has picked it up: down, no answer\.$/);
  });
});
