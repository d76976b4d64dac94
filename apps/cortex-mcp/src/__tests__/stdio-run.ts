import { expect, onTestFinished, vi } from "vitest";
import { lineStream, type LineStream } from "./line-stream.js";
import { createTestIo, type Ran, type TestIo, type TestIoOptions } from "./test-io.js";

/** A client whose `cortex-mcp stdio` runs in this process. */
export interface StdioRun extends LineStream {
  readonly io: TestIo;
  /** Resolves when the command is over. */
  readonly ended: Promise<Ran>;
  send(message: object): void;
  request(id: string | number, method: string, params?: object): void;
  /** Resolves with the answer under this id. */
  answer(id: string | number): Promise<unknown>;
  /** Initializes as a client of 2025-11-25 does. */
  initialize(): Promise<void>;
  /** The client closes standard input. */
  end(): void;
}

/** Runs `stdio` until the test is over, in the home of `home`, or in a fresh one. */
export async function startStdio(home?: TestIo, options: TestIoOptions & { readonly flags?: readonly string[] } = {}) {
  const io = await createTestIo({ ...options, env: { ...options.env, ...(home && { CORTEX_HOME: home.home }) } });
  const { input, output } = io.stdio;
  const stream = lineStream(output);
  const ended = io.run("stdio", ...(options.flags ?? []));
  onTestFinished(async () => {
    input.end();
    await ended;
    expect(io.listening()).toBe(0);
  });
  const send = (message: object): void => void input.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  const answer = async (id: string | number): Promise<unknown> =>
    vi.waitFor(() => {
      const found = stream.messages.find((message) => hasId(message, id));
      if (found === undefined)
        throw new Error(`no answer ${id} in ${stream.lines.join("\n")}; ${io.errLines.join("\n")}`);
      return found;
    }, 10_000);
  const run: StdioRun = {
    ...stream,
    lines: stream.lines,
    get messages() {
      return stream.messages;
    },
    io,
    ended,
    send,
    answer,
    request: (id, method, params) => send({ id, method, ...(params && { params }) }),
    initialize: async () => {
      const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "test", version: "1" } };
      send({ id: "init", method: "initialize", params });
      await answer("init");
      send({ method: "notifications/initialized" });
    },
    end: () => void input.end(),
  };
  return run;
}

const hasId = (message: unknown, id: string | number): boolean =>
  typeof message === "object" && message !== null && "id" in message && message.id === id && !("method" in message);
