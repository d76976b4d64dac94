import { startFixtureHttp, stdioMainPath } from "@cortex-os/fixture-server";
import type { ServerInfo } from "@cortex-os/mcp-core";
import { RecordingLogger } from "@cortex-os/mcp-core/testing";
import { Client as ModernClient, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { askingClient, type AskingGateway } from "./support/asking-clients.js";
import { startTestGateway } from "./support/test-gateway.js";

const shared: ServerInfo = { name: "up", command: process.execPath, args: [stdioMainPath, "--era", "legacy"] };

async function legacyHttp(): Promise<ServerInfo> {
  const server = await startFixtureHttp({ era: "legacy" });
  onTestFinished(async () => server.close());
  return { name: "up", endpoint: server.url };
}

async function modernHttp(): Promise<ServerInfo> {
  const server = await startFixtureHttp({ era: "modern" });
  onTestFinished(async () => server.close());
  return { name: "up", endpoint: server.url };
}

async function started(entry: ServerInfo) {
  const logger = new RecordingLogger();
  const running = await startTestGateway([entry], { logger });
  onTestFinished(running.close);
  const none = { command: "", args: [], env: {} };
  const where: AskingGateway = { url: running.url, sse: "", stdio: none };
  return { ...running, logger, where };
}

/** Something to wait for, and what ends the wait. */
function latch(): { readonly promise: Promise<void>; readonly open: () => void } {
  let open = (): void => {};
  const promise = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}

const elicitation = (message: string) => ({
  kind: "elicitation",
  params: { message, requestedSchema: { type: "object", properties: {} } },
});

describe("questions of an upstream that keeps sessions (R22)", () => {
  test("two clients whose ids collide are asked at once, 100 times each, and each answers its own", async () => {
    const { where, gateway } = await started(await legacyHttp());
    const clients = [await askingClient(where, "HTTP", "anna"), await askingClient(where, "HTTP", "bert")];
    const asking = clients.flatMap(({ ask, name }) =>
      Array.from({ length: 100 }, async (_, at) => {
        const question = `${name}'s ${at}`;
        const answered = await ask("up__ask", elicitation(question));
        expect(answered).toMatchObject({ answer: { content: { name: `${name} to ${question}` } } });
      }),
    );
    await Promise.all(asking);
    expect(clients.map(({ asked }) => asked.length)).toEqual([100, 100]);
    for (const session of gateway.sessions.all()) expect(session.questions.size).toBe(0);
  });

  test("one that is asked outside of the call comes on the client's GET stream", async () => {
    const { where } = await started(await legacyHttp());
    const { ask, asked } = await askingClient(where, "HTTP", "anna");
    expect(await ask("up__ask", { ...elicitation("aside"), where: "session" })).toMatchObject({
      answer: { content: { name: "anna to aside" } },
    });
    expect(asked).toEqual(["elicitation/create aside"]);
  });

  test("what the client did not declare is refused, even of a server that asks nevertheless", async () => {
    const { where } = await started(await legacyHttp());
    const { ask, asked } = await askingClient(where, "HTTP", "anna", { roots: {} });
    expect(await ask("up__ask", { kind: "sampling", force: true })).toMatchObject({
      error: {
        code: -32_601,
        message: "The client does not offer sampling/createMessage: it did not declare sampling",
      },
    });
    expect(asked).toEqual([]);
  });

  test("a client that cancels its call is told that its question needs no answer any more, and nothing is left", async () => {
    const { where, gateway } = await started(await legacyHttp());
    const { ask, asked, hold } = await askingClient(where, "HTTP", "anna");
    const { promise, open } = latch();
    hold.until = promise;
    const abort = new AbortController();
    const call = ask("up__ask", elicitation("long"), { signal: abort.signal });
    const outcome = expect(call).rejects.toThrow(/changed my mind/);
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    abort.abort("changed my mind");
    await outcome;
    await vi.waitFor(() => expect(hold.aborted).toBe(1));
    for (const session of gateway.sessions.all()) expect(session.questions.size).toBe(0);
    open();
    hold.until = Promise.resolve();
    expect(await ask("up__ask", elicitation("again"))).toMatchObject({ answer: { action: "accept" } });
  });

  test("a client that vanishes in the middle of a question leaves nothing behind", async () => {
    const { where, gateway } = await started(await legacyHttp());
    const { ask, asked, client, hold } = await askingClient(where, "HTTP", "anna");
    hold.until = new Promise(() => {});
    const call = ask("up__ask", elicitation("long")).catch(() => {});
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    await client.close();
    await call;
    const [session] = [...gateway.sessions.all()];
    gateway.sessions.end(session?.id ?? "", "unused for too long");
    expect([session?.questions.size, gateway.sessions.size]).toEqual([0, 0]);
  });

  test("a gateway that stops fails the call and takes the question back", async () => {
    const { where, front, gateway } = await started(await legacyHttp());
    const { ask, asked, hold } = await askingClient(where, "HTTP", "anna");
    hold.until = new Promise(() => {});
    const call = expect(ask("up__ask", elicitation("long"))).rejects.toThrow("the gateway is shutting down");
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    await front.drain({ deadlineMs: 100 });
    await call;
    await vi.waitFor(() => expect(hold.aborted).toBe(1));
    for (const session of gateway.sessions.all()) expect(session.questions.size).toBe(0);
  });
});

describe("a child that clients share (design.md, decision 6)", () => {
  test("asks the one whose call it is; when two could be meant neither is asked, and each has a child of its own then", async () => {
    const { where, gateway, logger } = await started(shared);
    const anna = await askingClient(where, "HTTP", "anna");
    const bert = await askingClient(where, "HTTP", "bert");
    const mute = await askingClient(where, "HTTP", "mute", {});
    const bystander = mute.client.callTool({ name: "up__slow", arguments: { ms: 1_500, steps: 1 } });
    expect(await anna.ask("up__ask", elicitation("first"))).toMatchObject({
      answer: { content: { name: "anna to first" } },
    });
    const { promise, open } = latch();
    anna.hold.until = promise;
    const waiting = anna.ask("up__ask", elicitation("second"));
    await vi.waitFor(() => expect(anna.asked).toHaveLength(2));
    expect(await bert.ask("up__ask", elicitation("third"))).toMatchObject({
      error: { code: -32_601, message: expect.stringContaining("several clients that share this server") },
    });
    expect(bert.asked).toEqual([]);
    open();
    expect(await waiting).toMatchObject({ answer: { content: { name: "anna to second" } } });
    expect(gateway.status().connectors).toMatchObject([{ note: expect.stringContaining("a process of its own now") }]);
    expect(logger.messages("warn").filter((text) => text.includes("a process of its own now"))).toHaveLength(1);
    const both = await Promise.all([anna, bert].map(async ({ ask }) => ask("up__ask", elicitation("fourth"))));
    expect(both).toMatchObject([
      { answer: { content: { name: "anna to fourth" } } },
      { answer: { content: { name: "bert to fourth" } } },
    ]);
    await bystander;
    expect(mute.asked).toEqual([]);
  });

  test("200 questions of one client at once each get their answer", async () => {
    const { where } = await started(shared);
    const { ask } = await askingClient(where, "HTTP", "anna");
    const answers = await Promise.all(
      Array.from({ length: 200 }, async (_, at) => ask("up__ask", elicitation(`number ${at}`))),
    );
    expect(answers.map((answer) => (answer as { answer: { content: object } }).answer.content)).toEqual(
      Array.from({ length: 200 }, (_, at) => ({ name: `anna to number ${at}` })),
    );
  });
});

describe("across eras a question is refused with an error that says so (R22)", () => {
  async function modernClient(url: string) {
    const client = new ModernClient(
      { name: "modern", version: "1" },
      { capabilities: { elicitation: {}, sampling: {} }, versionNegotiation: { mode: { pin: "2026-07-28" } } },
    );
    await client.connect(new StreamableHTTPClientTransport(new URL(url)));
    onTestFinished(async () => client.close());
    client.setRequestHandler("elicitation/create", async () => ({ action: "accept", content: { name: "Ada" } }));
    return client;
  }

  test.each([
    ["over HTTP", legacyHttp],
    ["over stdio", async () => shared],
  ])("a legacy upstream %s is told that a modern client cannot be asked yet", async (_, entry) => {
    const { url } = await started(await entry());
    const client = await modernClient(url);
    const { structuredContent } = await client.callTool({
      name: "up__ask",
      arguments: { kind: "elicitation", force: true },
    });
    expect(structuredContent).toMatchObject({
      error: { code: -32_601, message: expect.stringContaining("the gateway cannot ask in its place yet") },
    });
  });

  test("a legacy client is told that a modern upstream asks for input in another way", async () => {
    const { where } = await started(await modernHttp());
    const { ask } = await askingClient(where, "HTTP", "anna");
    await expect(ask("up__ask", { kind: "elicitation", force: true })).rejects.toThrow(
      /asks for input in a way that needs a client of revision 2026-07-28/,
    );
  });

  test.each([
    ["over HTTP", modernHttp],
    ["over stdio", async (): Promise<ServerInfo> => ({ ...shared, args: [stdioMainPath, "--era", "modern"] })],
  ])("within the modern era input is asked for, given, and the state comes back as it went, %s", async (_, entry) => {
    const { url } = await started(await entry());
    const client = await modernClient(url);
    const { structuredContent } = await client.callTool({ name: "up__ask", arguments: { kind: "elicitation" } });
    expect(structuredContent).toMatchObject({ answer: { action: "accept", content: { name: "Ada" } } });
  });
});
