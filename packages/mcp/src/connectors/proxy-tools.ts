import { GatewayError, type Logger } from "@cortex-os/mcp-core";
import { isJsonObject, type JsonObject } from "@cortex-os/mcp-core/wire";

/**
 * What a proxy of somebody else's making says its tools are, as tool definitions that can be encoded. What is no tool is left out with one warning;
 * one without an `inputSchema` takes any object.
 *
 * @throws GatewayError UPSTREAM_PROTOCOL for what is no list, or cannot be encoded
 */
export function toolsOfProxy(key: string, answer: unknown, logger: Logger): readonly JsonObject[] {
  if (!Array.isArray(answer)) throw nonsense(key, "answered getTools() without a list of tools");
  const entries = encoded(key, answer);
  const tools = entries.filter(isTool);
  if (tools.length < entries.length) {
    const fields = { connectorId: key, count: entries.length - tools.length };
    logger.warn(fields, "Tools that break the specification were left out");
  }
  return tools.map((tool) => (isJsonObject(tool["inputSchema"]) ? tool : { ...tool, inputSchema: { type: "object" } }));
}

/** As it would go over the wire: functions are dropped, and what cannot go is an error here, not where the catalog is written. */
function encoded(key: string, answer: readonly unknown[]): readonly unknown[] {
  try {
    const entries: unknown = JSON.parse(JSON.stringify(answer));
    return Array.isArray(entries) ? entries : [];
  } catch (error) {
    throw nonsense(key, "has tools that cannot be written as JSON", error);
  }
}

/** What a proxy's tool answered, as a `CallToolResult`: an object as it is, anything else as text. */
export function resultOfProxy(answer: unknown): JsonObject {
  if (isJsonObject(answer)) return answer;
  if (answer === undefined || answer === null) return { content: [] };
  const text = typeof answer === "string" ? answer : JSON.stringify(answer);
  return { content: [{ type: "text", text }] };
}

const isTool = (entry: unknown): entry is JsonObject =>
  isJsonObject(entry) && typeof entry["name"] === "string" && entry["name"] !== "";

const nonsense = (key: string, what: string, cause?: unknown): GatewayError =>
  new GatewayError("UPSTREAM_PROTOCOL", `Connector "${key}" ${what}`, cause === undefined ? {} : { cause });
