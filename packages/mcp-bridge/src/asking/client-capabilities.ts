import { GatewayError } from "@cortex-os/mcp-core";
import { isJsonObject, type CallerIdentity, type JsonObject, type JsonRpcRequest } from "@cortex-os/mcp-core/wire";
import { printable } from "../upstream-text.js";

/**
 * What a process that clients of all kinds share is told at its `initialize`: everything that is relayed to the one client that it concerns. Which of it that client
 * offers is looked at with every question. Changes of roots are not told: those of one client are nothing to the others.
 */
export const SHARED_CAPABILITIES: JsonObject = {
  roots: {},
  sampling: { tools: {}, context: {} },
  elicitation: { form: {}, url: {} },
};

/** What a client is asked by which capability; of other methods it is not known that they need one. */
const NEEDED_FOR: ReadonlyMap<string, string> = new Map([
  ["roots/list", "roots"],
  ["sampling/createMessage", "sampling"],
  ["elicitation/create", "elicitation"],
  ["tasks/get", "tasks"],
  ["tasks/result", "tasks"],
  ["tasks/list", "tasks.list"],
  ["tasks/cancel", "tasks.cancel"],
]);

/** Whether a client can be asked anything, outside of its own requests too. */
export const canBeAsked = ({ era, capabilities = {} }: CallerIdentity): boolean =>
  era === "legacy" && ["roots", "sampling", "elicitation", "tasks"].some((name) => declares(capabilities, name));

/** Whether a client is to be told that the roots it has changed are asked for again. */
export const offersRoots = ({ era, capabilities = {} }: CallerIdentity): boolean =>
  era === "legacy" && declares(capabilities, "roots");

/**
 * Why a client cannot be asked something; `undefined` when it can.
 *
 * @returns an error for the upstream, in words for its authors: what the client did not declare, or that it speaks another era
 */
export function refusalFor(request: JsonRpcRequest, client: CallerIdentity): GatewayError | undefined {
  const { era, revision, capabilities = {} } = client;
  const method = printable(request.method, 100);
  if (era === "modern") {
    const why = `it speaks revision ${revision}, in which servers send no requests, and the gateway cannot ask in its place yet`;
    return new GatewayError("METHOD_UNKNOWN", `The client cannot be asked for ${method}: ${why}`);
  }
  const missing = neededFor(request).find((name) => !declares(capabilities, name));
  if (missing === undefined) return undefined;
  return new GatewayError("METHOD_UNKNOWN", `The client does not offer ${method}: it did not declare ${missing}`);
}

/** The capabilities that a request needs (2025-11-25, Elicitation, Sampling, Tasks), as paths. */
function neededFor({ method, params = {} }: JsonRpcRequest): readonly string[] {
  const basic = NEEDED_FOR.get(method);
  if (basic === undefined) return [];
  const needed = [basic];
  if (method === "elicitation/create") needed.push(params["mode"] === "url" ? "elicitation.url" : "elicitation.form");
  const hasTools = params["tools"] !== undefined || params["toolChoice"] !== undefined;
  if (method === "sampling/createMessage" && hasTools) needed.push("sampling.tools");
  if (params["task"] !== undefined && !method.startsWith("tasks/"))
    needed.push(`tasks.requests.${method.replace("/", ".")}`);
  return needed;
}

function declares(capabilities: JsonObject, path: string): boolean {
  // Who names no mode takes forms, the only ones there were at first (2025-11-25, Elicitation, Capabilities).
  if (path === "elicitation.form" && !declares(capabilities, "elicitation.url"))
    return declares(capabilities, "elicitation");
  let at: unknown = capabilities;
  for (const name of path.split(".")) at = isJsonObject(at) ? at[name] : undefined;
  return at !== undefined && at !== null && at !== false;
}
