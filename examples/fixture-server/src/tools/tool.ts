import type { JsonObject, JsonValue } from "@cortex-os/mcp-core/wire";
import type { Ask } from "../asking/question.js";
import type { Caller } from "../caller.js";
import type { LogLevel } from "../log-level.js";

/** What `tools/list` says about a tool. */
export interface ToolDefinition {
  readonly name: string;
  readonly title?: string;
  readonly description: string;
  readonly inputSchema: JsonObject;
  readonly outputSchema?: JsonObject;
  readonly annotations?: JsonObject;
}

/** What a tool gives back, in the form both eras share. */
export interface ToolResult {
  readonly content: readonly JsonObject[];
  readonly structuredContent?: object;
  readonly isError?: boolean;
  readonly _meta?: JsonObject;
}

/** What a tool may know about its call and do besides returning. */
export interface ToolContext {
  readonly caller: Caller;
  /** The request's `_meta` as received. */
  readonly meta: JsonObject;
  /** Aborts when the client gives the call up; whatever the tool returns then is not sent. */
  readonly signal: AbortSignal;
  /** Tells the client how far the call is; does nothing unless the client sent a progress token. */
  progress(progress: number, total: number, message?: string): void;
  /** Tells the client something; does nothing unless the client asked for this severity. */
  log(level: LogLevel, data: JsonValue): void;
  /** Asks the client something. */
  readonly ask: Ask;
  /**
   * Closes the connection that carries the call, where the client can come back and get the rest (2025-11-25, Streamable HTTP
   * with resumable streams); does nothing anywhere else.
   */
  disconnect(): void;
}

/** One tool. */
export interface Tool {
  readonly definition: ToolDefinition;
  /** `false`: calls are left out of the counters. @default true */
  readonly counted?: boolean;
  /** @throws ToolInputError when the arguments are not what the tool asks for */
  call(args: JsonObject, context: ToolContext): ToolResult | Promise<ToolResult>;
}

/** A result of one text. */
export const textResult = (text: string): ToolResult => ({ content: [{ type: "text", text }] });

/** A result a program can read, with the same as text for clients that cannot (tools, Structured Content). */
export const structuredResult = (structuredContent: object): ToolResult => ({
  content: [{ type: "text", text: JSON.stringify(structuredContent) }],
  structuredContent,
});

/** An `isError` result: a failure the model can read and act on (tools, Error Handling). */
export const errorResult = (text: string): ToolResult => ({ ...textResult(text), isError: true });
