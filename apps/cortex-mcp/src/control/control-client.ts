import { request } from "node:http";
import { text as wholeText } from "node:stream/consumers";
import type { Timers } from "@cortex-os/mcp-core";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import type { z } from "zod";
import { CallError } from "./call-error.js";
import {
  CallResultSchema,
  ControlErrorSchema,
  GatewayViewSchema,
  ToolViewsSchema,
  type GatewayView,
  type ToolView,
} from "./views.js";

/** How long a question that the gateway answers from memory may take, in milliseconds; lists may wait for a start. */
const ANSWER_MS = 30_000;

interface Question {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: JsonObject;
  readonly signal?: AbortSignal;
}

/** Talks to a running gateway over its control socket. Every method throws {@link CallError} when the gateway refuses or is gone. */
export class ControlClient {
  readonly #socketPath: string;
  readonly #timers: Timers;

  constructor(socketPath: string, timers: Timers) {
    this.#socketPath = socketPath;
    this.#timers = timers;
  }

  status(): Promise<GatewayView> {
    return this.#askSoon({ method: "GET", path: "/api/v1/status" }, GatewayViewSchema);
  }

  async tools(): Promise<readonly ToolView[]> {
    const { tools } = await this.#askSoon({ method: "GET", path: "/api/v1/tools" }, ToolViewsSchema);
    return tools;
  }

  /** Calls a tool and gives the `CallToolResult`. Has no deadline of its own: the gateway's holds. */
  call(name: string, args: JsonObject, signal: AbortSignal): Promise<JsonObject> {
    const body = { name, arguments: args };
    return this.#ask({ method: "POST", path: "/api/v1/call", body, signal }, CallResultSchema);
  }

  /** Makes the gateway read its sources again now. */
  async reload(): Promise<void> {
    await this.#askSoon({ method: "POST", path: "/api/v1/reload" }, CallResultSchema);
  }

  async #askSoon<T>(question: Question, schema: z.ZodType<T>): Promise<T> {
    const deadline = new AbortController();
    const cancel = this.#timers.after(ANSWER_MS, () => {
      deadline.abort();
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
    if (refused.success) throw new CallError(refused.data.error.code, refused.data.error.message);
    const understood = schema.safeParse(value);
    if (status < 300 && understood.success) return understood.data;
    const problem = `the running gateway answered ${question.path} with HTTP ${status} and nothing this version understands`;
    throw new CallError("UPSTREAM_PROTOCOL", `${problem}; restart it, it may be of another version`);
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
      const options = { socketPath: this.#socketPath, agent: false, method, path, headers, ...(signal && { signal }) };
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
  return new CallError("CANCELLED", "gave up waiting for the running gateway", { cause });
}

function parsedOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
