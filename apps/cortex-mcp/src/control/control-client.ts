import { request } from "node:http";
import { text as wholeText } from "node:stream/consumers";
import type { MapDiff, MapOperation, MapOperationResult, ReloadReport } from "@cortex-os/mcp";
import type { Timers } from "@cortex-os/mcp-core";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import type { z } from "zod";
import type { RunningGateway } from "../state/running-gateway.js";
import { wakeOrEnd } from "../state/wake-or-end.js";
import { CallError, SilentGatewayError } from "./call-error.js";
import { MapDiffSchema, MapOperationResultSchema, MapViewSchema, type MapView } from "./map-views.js";
import {
  CallResultSchema,
  ControlErrorSchema,
  GatewayViewSchema,
  ReloadReportSchema,
  ToolViewsSchema,
  type GatewayView,
  type ToolView,
} from "./views.js";

/** How long a question may take that the gateway answers from memory or with a look at a file, in milliseconds. */
const ANSWER_MS = 3_000;
/** How long a list may take, in milliseconds: it may wait for a start. */
const LIST_MS = 30_000;

const RELOAD_PATH = "/api/v1/reload";
const MAP_PATH = "/api/v1/map";

/** A request to the control API. */
export interface Question {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: object;
  readonly signal?: AbortSignal;
}

/** Talks to a running gateway over its control socket. Every method throws {@link CallError} when the gateway refuses, is gone or does not answer. */
export class ControlClient {
  readonly #gateway: RunningGateway;
  readonly #timers: Timers;

  constructor(gateway: RunningGateway, timers: Timers) {
    this.#gateway = gateway;
    this.#timers = timers;
  }

  status(): Promise<GatewayView> {
    return this.askWithin(ANSWER_MS, { method: "GET", path: "/api/v1/status" }, GatewayViewSchema);
  }

  async tools(): Promise<readonly ToolView[]> {
    const { tools } = await this.askWithin(LIST_MS, { method: "GET", path: "/api/v1/tools" }, ToolViewsSchema);
    return tools;
  }

  /** Calls a tool and gives the `CallToolResult`. Has no deadline of its own: the gateway's holds. */
  call(name: string, args: JsonObject, signal: AbortSignal): Promise<JsonObject> {
    const body = { name, arguments: args };
    return this.#ask({ method: "POST", path: "/api/v1/call", body, signal }, CallResultSchema);
  }

  /** Makes the gateway read the registry again now. */
  async reload(): Promise<void> {
    const body = { source: "registry" };
    await this.askWithin(ANSWER_MS, { method: "POST", path: RELOAD_PATH, body }, CallResultSchema);
  }

  /** Makes the gateway read configuration, registry and service map again now. */
  reloadAll(): Promise<ReloadReport> {
    return this.askWithin(LIST_MS, { method: "POST", path: RELOAD_PATH }, ReloadReportSchema);
  }

  /**
   * Makes a gateway without a URL give up its home in good order. It has agreed to when this resolves, and goes later.
   *
   * @param nowMs the time: one that reads this when nobody waits any more stays
   */
  async yieldHome(nowMs: number): Promise<void> {
    const body = { untilMs: nowMs + ANSWER_MS };
    await this.askWithin(ANSWER_MS, { method: "POST", path: "/api/v1/yield", body }, CallResultSchema);
  }

  /** The service map: how it is, which connectors it names, which maps are kept. */
  map(): Promise<MapView> {
    return this.askWithin(ANSWER_MS, { method: "GET", path: MAP_PATH }, MapViewSchema);
  }

  /** Makes the gateway fetch the service map now; how that ended is in its status. Waits `withinMs` milliseconds at most. */
  async refreshMap(withinMs: number): Promise<GatewayView> {
    const body = { source: "map" };
    return this.askWithin(withinMs, { method: "POST", path: RELOAD_PATH, body }, GatewayViewSchema);
  }

  /** What the held service map would change or, with none held, what the last one changed. */
  mapDiff(): Promise<MapDiff> {
    return this.askWithin(ANSWER_MS, { method: "GET", path: `${MAP_PATH}/diff` }, MapDiffSchema);
  }

  /** Says which service map shall be in force. */
  operateMap(operation: MapOperation): Promise<MapOperationResult> {
    return this.askWithin(
      LIST_MS,
      { method: "POST", path: MAP_PATH, body: { ...operation } },
      MapOperationResultSchema,
    );
  }

  /**
   * Asks `question` and waits `withinMs` milliseconds at most for an answer of that form.
   *
   * @throws SilentGatewayError when there is none by then
   */
  async askWithin<T>(withinMs: number, question: Question, schema: z.ZodType<T>): Promise<T> {
    const deadline = new AbortController();
    const cancel = this.#timers.after(withinMs, () => {
      deadline.abort(this.#silence(withinMs));
    });
    try {
      return await this.#ask({ ...question, signal: deadline.signal }, schema);
    } finally {
      cancel();
    }
  }

  async #ask<T>(question: Question, schema: z.ZodType<T>): Promise<T> {
    const { status, answer } = await this.#exchange(question);
    const value = parsedOrUndefined(answer);
    const refused = ControlErrorSchema.safeParse(value);
    if (refused.success) {
      const { error, code } = refused.data;
      throw new CallError(code ?? error.code, error.message);
    }
    const understood = schema.safeParse(value);
    if (status < 300 && understood.success) return understood.data;
    const problem = `the running gateway answered ${question.path} with HTTP ${status} and nothing this version understands`;
    throw new CallError("UPSTREAM_PROTOCOL", `${problem}; restart it, it may be of another version`);
  }

  #silence(afterMs: number): SilentGatewayError {
    const pid = this.#gateway.record?.pid;
    const who = pid === undefined ? "the running gateway" : `the running gateway (pid ${pid})`;
    const remedy = pid === undefined ? "end it and start it anew" : wakeOrEnd(pid);
    return new SilentGatewayError(`${who} did not answer within ${afterMs / 1_000} s; ${remedy}`);
  }

  #exchange({ method, path, body, signal }: Question): Promise<{ status: number; answer: string }> {
    const payload = body === undefined ? "" : JSON.stringify(body);
    const headers = {
      host: "localhost",
      "content-type": "application/json",
      "content-length": Buffer.byteLength(payload),
    };
    return new Promise((resolve, reject) => {
      const fail = (cause: Error): void => {
        reject(failureOf(cause, signal));
      };
      const options = {
        socketPath: this.#gateway.socket,
        agent: false,
        method,
        path,
        headers,
        ...(signal && { signal }),
      };
      request(options, (response) => {
        wholeText(response).then((answer) => {
          resolve({ status: response.statusCode ?? 0, answer });
        }, fail);
      })
        .on("error", fail)
        .end(payload);
    });
  }
}

function failureOf(cause: Error, signal: AbortSignal | undefined): CallError {
  if (signal?.aborted !== true)
    return new CallError("NOT_READY", "the running gateway went away before it answered", { cause });
  if (signal.reason instanceof CallError) return signal.reason;
  return new CallError("CANCELLED", "gave up waiting for the running gateway", { cause });
}

function parsedOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
