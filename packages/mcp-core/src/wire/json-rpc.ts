/** Any value JSON can carry, as `JSON.parse` gives it. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;

/** A JSON object. */
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined;
}

/** A JSON-RPC request id as MCP allows it: never `null`. */
export type RequestId = string | number;

/** A message that asks for an answer. */
export interface JsonRpcRequest {
  readonly jsonrpc: "2.0";
  readonly id: RequestId;
  readonly method: string;
  readonly params?: JsonObject;
}

/** A message that asks for none. */
export interface JsonRpcNotification {
  readonly jsonrpc: "2.0";
  readonly method: string;
  readonly params?: JsonObject;
}

/** The `error` member of an answer. */
export interface JsonRpcErrorObject {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** A good answer. */
export interface JsonRpcResult {
  readonly jsonrpc: "2.0";
  readonly id: RequestId;
  readonly result: JsonObject;
}

/**
 * A bad answer; without `id` when the request's could not be read. Some peers say `null` there, as JSON-RPC 2.0 has it: such an
 * answer is let through unchanged, so look an `id` up, never assume one.
 */
export interface JsonRpcError {
  readonly jsonrpc: "2.0";
  readonly id?: RequestId;
  readonly error: JsonRpcErrorObject;
}

/** Either answer. */
export type JsonRpcResponse = JsonRpcResult | JsonRpcError;

/** Any single message. */
export type JsonRpcMessage = JsonRpcRequest | JsonRpcNotification | JsonRpcResponse;

/** Whether `value` is a JSON object (not an array, not `null`). */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a parsed body turned out to be. */
export type ClassifiedMessage =
  | { readonly kind: "request"; readonly message: JsonRpcRequest }
  | { readonly kind: "notification"; readonly message: JsonRpcNotification }
  | { readonly kind: "response"; readonly message: JsonRpcResponse }
  | { readonly kind: "invalid"; readonly reason: string; readonly id?: RequestId };

/** Beyond 2^53 an integer is rounded when it is read: the answer would come under an id that nobody sent. */
const isRequestId = (value: unknown): value is RequestId => typeof value === "string" || Number.isSafeInteger(value);

const isMethodCall = (value: JsonObject): value is JsonObject & JsonRpcNotification =>
  typeof value["method"] === "string" && (value["params"] === undefined || isJsonObject(value["params"]));

const isRequest = (value: JsonObject & JsonRpcNotification): value is JsonObject & JsonRpcRequest =>
  isRequestId(value["id"]);

const isResponse = (value: JsonObject): value is JsonObject & JsonRpcResponse => {
  const { id, result, error } = value;
  if (error === undefined) return isJsonObject(result) && isRequestId(id);
  if (result !== undefined) return false;
  if (id !== undefined && id !== null && !isRequestId(id)) return false;
  return isJsonObject(error) && Number.isInteger(error["code"]) && typeof error["message"] === "string";
};

/**
 * Says what one parsed JSON value is in JSON-RPC 2.0 as MCP restricts it (basic, Messages). Never throws.
 * The returned message is the value itself, not a copy: what was checked is what is forwarded. A message that is a call and an
 * answer at once, or good and bad at once, is invalid: two readers could take it for two things.
 */
export function classifyMessage(value: unknown): ClassifiedMessage {
  if (!isJsonObject(value)) return { kind: "invalid", reason: "a message must be one JSON object" };
  const { jsonrpc, id, method } = value;
  const known = isRequestId(id) ? { id } : {};
  if (jsonrpc !== "2.0") return { kind: "invalid", reason: 'jsonrpc must be "2.0"', ...known };
  if (method === undefined) {
    if (isResponse(value)) return { kind: "response", message: value };
    return { kind: "invalid", reason: "a message needs a method, a result or an error", ...known };
  }
  if (typeof method !== "string") return { kind: "invalid", reason: "method must be a string", ...known };
  if (value["result"] !== undefined || value["error"] !== undefined) {
    return { kind: "invalid", reason: "a message with a method has no result and no error", ...known };
  }
  if (!isMethodCall(value)) return { kind: "invalid", reason: "params must be an object", ...known };
  if (id === undefined) return { kind: "notification", message: value };
  if (isRequest(value)) return { kind: "request", message: value };
  return { kind: "invalid", reason: "id must be a string or an integer within ±(2^53 − 1)" };
}
