import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import {
  DEFAULT_TIMEOUTS,
  systemClock,
  systemMonotonic,
  systemRandom,
  systemTimers,
  type ConnectorSpec,
  type ConnectorTimeouts,
  type GatewayError,
  type Isolation,
  type Timers,
} from "@cortex-os/mcp-core";
import { RecordingLogger, type ManualTime } from "@cortex-os/mcp-core/testing";
import type {
  JsonObject,
  JsonRpcNotification,
  JsonRpcResponse,
  RequestId,
  ServerFeature,
} from "@cortex-os/mcp-core/wire";
import { expect, vi } from "vitest";
import type { LinkDeps, UpstreamFacts } from "../../link.js";
import { RecordedQuestions } from "../../asking/__tests__/recorded-questions.js";
import type { AskedQuestion, UpstreamQuestion } from "../../asking/question.js";
import type { AnswerSink, Caller, UpstreamCall } from "../../runtime/exchange.js";
import { StdioLink } from "../stdio-link.js";
import type { StdioLinkOptions } from "../stdio-link-options.js";
import { MARK } from "./marked-processes.js";

export { expectNoProcessLeft, MARK, markedProcesses } from "./marked-processes.js";

/** The server whose vices are flags. */
export const SCRIPTED = fileURLToPath(new URL("servers/scripted.mjs", import.meta.url));

/** A folder that is gone at the end of `use`. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), "cortex-stdio-"));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What a test may say about a link. */
export interface LinkSetup {
  readonly args?: readonly string[];
  readonly command?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly isolation?: Isolation;
  readonly timeouts?: Partial<ConnectorTimeouts>;
  readonly prior?: UpstreamFacts;
  readonly clientInfo?: JsonObject;
  readonly options?: StdioLinkOptions;
  /** Own time instead of the machine's. */
  readonly time?: ManualTime;
  /** Own timers instead of those. */
  readonly timers?: Timers;
}

/** A link with everything that can be seen of it. */
export interface LinkUnderTest {
  readonly link: StdioLink;
  readonly logger: RecordingLogger;
  readonly lost: GatewayError[];
  /** What was told outside of any request: the notification, and whose session it came from. */
  readonly told: [JsonRpcNotification, string?][];
  /** What clients were asked outside of their calls. */
  readonly questions: RecordedQuestions;
  /** How often it was said that each session has a process of its own from now on. */
  readonly isolated: { readonly count: number };
  /** How often it was said that nothing was asked of it for long enough. */
  readonly idle: { readonly count: number };
  /** Whose lists were said to have changed. */
  readonly changed: ServerFeature[];
  /** How often its tools were. */
  readonly changes: () => number;
  readonly open: (signal?: AbortSignal) => Promise<UpstreamFacts>;
}

/** Links of the current test, for {@link closeLinks}. */
const links: { readonly link: StdioLink; readonly time: ManualTime | undefined }[] = [];

function stdioSpec(setup: LinkSetup): ConnectorSpec {
  const { command = process.execPath, args = [], env = {}, cwd, isolation = "shared", timeouts = {} } = setup;
  return {
    key: "demo",
    source: "registry",
    transport: {
      kind: "stdio",
      command,
      args: command === process.execPath && !args[0]?.endsWith("js") && args[0] !== "-e" ? [SCRIPTED, ...args] : args,
      env: { CORTEX_TEST_MARK: MARK, ...env },
      ...(cwd === undefined ? {} : { cwd }),
    },
    disabled: false,
    timeouts: { ...DEFAULT_TIMEOUTS, ...timeouts },
    isolation,
  };
}

/** A link to the scripted server, or to whatever `setup` says; not opened yet. */
export function linkTo(setup: LinkSetup = {}): LinkUnderTest {
  const logger = new RecordingLogger();
  const lost: GatewayError[] = [];
  const told: [JsonRpcNotification, string?][] = [];
  const questions = new RecordedQuestions();
  const isolated = { count: 0 };
  const idle = { count: 0 };
  const changed: ServerFeature[] = [];
  const deps: LinkDeps = {
    spec: stdioSpec(setup),
    clock: setup.time ?? systemClock,
    monotonic: setup.time ?? systemMonotonic,
    timers: setup.timers ?? setup.time ?? systemTimers,
    random: systemRandom,
    logger,
    events: {
      onListChanged: (feature) => {
        changed.push(feature);
      },
      onNotification: (notification, sessionKey) => {
        told.push(sessionKey === undefined ? [notification] : [notification, sessionKey]);
      },
      onQuestion: (sessionKey, question) => questions.ask(question, sessionKey),
      onIsolated: () => {
        isolated.count += 1;
      },
      onIdle: () => {
        idle.count += 1;
      },
      onLost: (error) => {
        lost.push(error);
      },
    },
    ...(setup.prior === undefined ? {} : { prior: setup.prior }),
    ...(setup.clientInfo === undefined ? {} : { clientInfo: setup.clientInfo }),
  };
  const link = new StdioLink(deps, { graceMs: 100, ...setup.options });
  links.push({ link, time: setup.time });
  return {
    link,
    logger,
    lost,
    told,
    questions,
    isolated,
    idle,
    changed,
    changes: () => changed.filter((feature) => feature === "tools").length,
    open: (signal = new AbortController().signal) => link.open(signal),
  };
}

/** Closes every link of the current test; with manual time, moves it until they are closed. */
export async function closeLinks(): Promise<void> {
  for (const { link, time } of links.splice(0)) {
    const closing = link.close();
    if (time === undefined) await closing;
    else await drive(time, closing);
  }
}

/** Moves manual time on, a little at a time, until `work` has settled. */
export async function drive<T>(time: ManualTime, work: Promise<T>, stepMs = 10): Promise<T> {
  const state = { settled: false };
  const done = (): void => {
    state.settled = true;
  };
  work.then(done, done);
  while (!state.settled) {
    await time.advance(stepMs);
    await new Promise((resolve) => {
      setTimeout(resolve, 1);
    });
  }
  return work;
}

/** Lets real processes work until `condition` holds, without moving any manual time. */
export const until = (condition: () => unknown): Promise<void> =>
  vi.waitFor(async () => expect(await condition()).toBeTruthy(), { timeout: 10_000, interval: 2 });

const noStreams = (): never => expect.unreachable("stdio has no streams to pass on");

/** A sink that keeps what it hears. */
export class RecordingSink implements AnswerSink {
  readonly notifications: JsonRpcNotification[] = [];
  /** What the upstream asked. */
  readonly questions = new RecordedQuestions();
  response: JsonRpcResponse | undefined;
  failure: GatewayError | undefined;
  /** How many answers came as bytes. */
  passedOn = 0;
  resultText = "";
  /** How often it heard an outcome: more than once is a fault. */
  outcomes = 0;
  readonly settled: Promise<RecordingSink>;
  #resolve = (): void => {};

  constructor() {
    this.settled = new Promise((resolve) => {
      this.#resolve = () => resolve(this);
    });
  }

  get text(): string {
    if (this.response === undefined || !("result" in this.response))
      throw new Error(`no result: ${this.failure?.message ?? "an error"}`);
    const { content } = this.response.result as { content: readonly { text: string }[] };
    return content[0]?.text ?? "";
  }

  respond(response: JsonRpcResponse): void {
    this.response = response;
    this.#settle();
  }

  sendResult(id: RequestId, result: readonly Buffer[]): void {
    this.passedOn += 1;
    this.resultText = Buffer.concat(result).toString();
    this.respond({ jsonrpc: "2.0", id, result: JSON.parse(this.resultText) as JsonObject });
  }

  fail(error: GatewayError): void {
    this.failure = error;
    this.#settle();
  }

  ask(question: UpstreamQuestion): AskedQuestion | undefined {
    return this.questions.ask(question);
  }

  notify(notification: JsonRpcNotification): void {
    if (this.outcomes > 0) throw new Error("a notification after the outcome");
    this.notifications.push(notification);
  }

  start = noStreams;
  write = noStreams;
  end = noStreams;

  abort(error: GatewayError): void {
    throw error;
  }

  #settle(): void {
    this.outcomes += 1;
    this.#resolve();
  }
}

export const LEGACY_CALLER: Caller = {
  era: "legacy",
  revision: "2025-11-25",
  principal: "anonymous",
  sessionKey: "s1",
};
export const MODERN_CALLER: Caller = { era: "modern", revision: "2026-07-28", principal: "anonymous" };

/** A `tools/call` of a client's. */
export function toolCall(
  name: string,
  args: JsonObject = {},
  over: Partial<UpstreamCall> & { readonly meta?: JsonObject } = {},
): UpstreamCall {
  const { meta, ...rest } = over;
  const params: JsonObject = { name, arguments: args, ...(meta === undefined ? {} : { _meta: meta }) };
  return { id: 1, method: "tools/call", params, caller: LEGACY_CALLER, ...rest };
}

/** Sends a call and waits for its outcome. */
export async function callTool(
  { link }: LinkUnderTest,
  name: string,
  args: JsonObject = {},
  over: Parameters<typeof toolCall>[2] = {},
): Promise<RecordingSink> {
  const sink = new RecordingSink();
  link.send(toolCall(name, args, over), sink);
  return sink.settled;
}
