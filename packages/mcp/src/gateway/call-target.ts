import { GatewayError } from "@cortex-os/mcp-core";
import { isJsonObject, LIST_KINDS, LISTS, type JsonObject, type MirroredParam } from "@cortex-os/mcp-core/wire";
import type { Catalog } from "../catalog/catalog.js";
import type { ResolvedUri } from "../catalog/resource-resolver.js";

/** Longest name of a method that is passed on, in UTF-16 units: it becomes a header. */
const MAX_METHOD = 256;

/** Where a request goes, in the upstream's words. */
export interface CallTarget {
  /** The connector's key. */
  readonly connector: string;
  readonly params: JsonObject | undefined;
  /** The parameters of a tool that HTTP clients mirror into headers. */
  readonly mirrored?: readonly MirroredParam[];
}

/** Where a request goes, or why it goes nowhere. */
export type TargetedCall = { readonly ok: true; readonly target: CallTarget } | FailedTarget;

/** Why a request goes nowhere. */
export interface FailedTarget {
  readonly ok: false;
  readonly error: GatewayError;
  /** What was asked for and is not there. */
  readonly missing?: MissingEntry;
  /** No connector that is still to come could make it good. */
  readonly isMalformed?: true;
}

/** A name or URI that nobody has at present. */
export interface MissingEntry {
  readonly kind: "tool" | "prompt" | "resource";
  readonly id: string;
}

/**
 * Finds whose a request is by what it names: a tool, a prompt, a resource. It is looked up, never cut apart (design.md, decision 4).
 *
 * @param sole tells the only connector there is, when there is only one: it gets what names nothing that we know
 */
export function targetOf(
  catalog: Catalog,
  method: string,
  params: JsonObject | undefined,
  sole: () => string | undefined,
): TargetedCall {
  switch (method) {
    case "tools/call":
      return toTool(catalog, params) ?? wrong("params.name must be the name of a tool");
    case "prompts/get":
      return toPrompt(catalog, params) ?? wrong("params.name must be the name of a prompt");
    case "resources/read":
      return toResource(catalog, params) ?? wrong("params.uri must be the URI of a resource");
    case "completion/complete":
      return toReference(catalog, params);
    default:
      return toVendor(catalog, method, params, sole);
  }
}

/** Whose resource a URI names and how its upstream calls it, or the error that says why that is not known. */
export function resolveResource(
  catalog: Catalog,
  uri: string,
): { readonly connector: string; readonly uri: string } | GatewayError {
  const resolved = catalog.resolve(uri);
  return resolved.ok ? resolved : unresolved(catalog, uri, resolved.candidates).error;
}

function toTool(catalog: Catalog, params: JsonObject | undefined): TargetedCall | undefined {
  const name = params?.["name"];
  if (typeof name !== "string") return undefined;
  const found = catalog.find(name);
  if (found === undefined) return missingEntry("tool", name);
  const { connector, tool, mirrored } = found;
  const target = { connector, params: tool === name ? params : { ...params, name: tool } };
  return { ok: true, target: mirrored === undefined ? target : { ...target, mirrored } };
}

function toPrompt(catalog: Catalog, params: JsonObject | undefined): TargetedCall | undefined {
  const name = params?.["name"];
  if (typeof name !== "string") return undefined;
  const found = catalog.findPrompt(name);
  if (found === undefined) return missingEntry("prompt", name);
  const { connector, own } = found;
  return { ok: true, target: { connector, params: own === name ? params : { ...params, name: own } } };
}

function toResource(catalog: Catalog, params: JsonObject | undefined): TargetedCall | undefined {
  const uri = params?.["uri"];
  if (typeof uri !== "string") return undefined;
  return located(catalog, catalog.resolve(uri), uri, (own) => ({ ...params, uri: own }), params);
}

/** `completion/complete`: what is completed is an argument of a prompt or of a resource template. */
function toReference(catalog: Catalog, params: JsonObject | undefined): TargetedCall {
  const ref = params?.["ref"];
  const { type, name, uri } = isJsonObject(ref) ? ref : {};
  if (type === "ref/prompt" && typeof name === "string") {
    const found = catalog.findPrompt(name);
    if (found === undefined) return missingEntry("prompt", name);
    return {
      ok: true,
      target: { connector: found.connector, params: { ...params, ref: { ...asObject(ref), name: found.own } } },
    };
  }
  if (type === "ref/resource" && typeof uri === "string") {
    const rename = (own: string): JsonObject => ({ ...params, ref: { ...asObject(ref), uri: own } });
    return located(catalog, catalog.resolveTemplate(uri), uri, rename, params);
  }
  return wrong("params.ref must be a ref/prompt with a name or a ref/resource with a uri");
}

/** A method that nobody here knows, passed on unchanged but for the name by which it is found. */
function toVendor(
  catalog: Catalog,
  method: string,
  params: JsonObject | undefined,
  sole: () => string | undefined,
): TargetedCall {
  if (isReserved(method)) return unknownMethod(method);
  const { name, uri, ref } = params ?? {};
  if (typeof name === "string" && catalog.find(name) !== undefined)
    return toTool(catalog, params) ?? unknownMethod(method);
  if (typeof name === "string" && catalog.findPrompt(name) !== undefined)
    return toPrompt(catalog, params) ?? unknownMethod(method);
  if (typeof uri === "string") {
    const resource = toResource(catalog, params);
    if (resource?.ok === true) return resource;
  }
  if (isJsonObject(ref)) {
    const reference = toReference(catalog, params);
    if (reference.ok) return reference;
  }
  const connector = sole();
  return connector === undefined ? unknownMethod(method) : { ok: true, target: { connector, params } };
}

function located(
  catalog: Catalog,
  resolved: ResolvedUri,
  uri: string,
  rename: (own: string) => JsonObject,
  params: JsonObject | undefined,
): TargetedCall {
  if (resolved.ok) {
    const { connector, uri: own } = resolved;
    return { ok: true, target: { connector, params: own === uri ? params : rename(own) } };
  }
  return unresolved(catalog, uri, resolved.candidates);
}

function unresolved(catalog: Catalog, uri: string, candidates: readonly string[]): FailedTarget {
  if (candidates.length === 0) return missingEntry("resource", uri);
  const choice = candidates.map((key) => catalog.addressOf(key, uri));
  const message = `It is not known whose resource ${shown(uri)} is: ask for one of ${choice.map(shown).join(", ")}`;
  return { ok: false, error: new GatewayError("INVALID_PARAMS", message, { data: { uri, candidates } }) };
}

/** The protocol's own, in whatever case: an upstream with a careless reader could take `Tools/Call` for something that was looked at here. */
const RESERVED: ReadonlySet<string> = new Set([
  ...LIST_KINDS.map((kind) => LISTS[kind].method),
  ...["initialize", "ping", "server/discover", "subscriptions/listen", "tools/call", "prompts/get", "resources/read"],
  ...["completion/complete", "logging/setlevel", "resources/subscribe", "resources/unsubscribe"],
  ...["sampling/createmessage", "elicitation/create", "roots/list"],
]);

/** Whether a method is the protocol's own, or none that could be passed on. */
export const isReserved = (method: string): boolean =>
  method === "" || method.length > MAX_METHOD || RESERVED.has(method.toLowerCase()) || /^notifications\//i.test(method);

const asObject = (value: unknown): JsonObject => (isJsonObject(value) ? value : {});

const shown = (text: string): string => JSON.stringify(text.slice(0, 200));

const wrong = (message: string): TargetedCall => ({
  ok: false,
  error: new GatewayError("INVALID_PARAMS", message),
  isMalformed: true,
});

/** Nobody has such a method. */
export const unknownMethod = (method: string): FailedTarget => ({
  ok: false,
  error: new GatewayError("METHOD_UNKNOWN", `Method not found: ${method.slice(0, 100)}`),
});

const UNKNOWN = {
  tool: (id) => new GatewayError("TOOL_UNKNOWN", `Unknown tool: ${shown(id)}`),
  prompt: (id) => new GatewayError("INVALID_PARAMS", `Unknown prompt: ${shown(id)}`),
  resource: (id) => new GatewayError("INVALID_PARAMS", `Unknown resource: ${shown(id)}`, { data: { uri: id } }),
} as const satisfies Record<MissingEntry["kind"], (id: string) => GatewayError>;

/** Nobody has it at present. */
export const missingEntry = (kind: MissingEntry["kind"], id: string): FailedTarget => ({
  ok: false,
  error: UNKNOWN[kind](id),
  missing: { kind, id },
});
