import { isJsonObject, type JsonObject, type JsonValue } from "@cortex-os/mcp-core/wire";
import { jsonText } from "../output.js";

/** A `CallToolResult` for a person: text as it is, everything else by what it is; structured content where there is nothing else. */
export function resultText(result: JsonObject): string {
  const content = result["content"];
  const blocks = Array.isArray(content) ? content : [];
  if (blocks.length > 0) return blocks.map(blockText).join("\n");
  const structured = result["structuredContent"];
  return structured === undefined ? "(the tool answered with no content)" : jsonText(structured);
}

function blockText(block: JsonValue): string {
  if (!isJsonObject(block)) return jsonText(block);
  const { type, text, data, mimeType, uri } = block;
  switch (type) {
    case "text":
      return typeof text === "string" ? text : jsonText(block);
    case "image":
    case "audio":
      return `[${type}, ${wordOf(mimeType)}, ${typeof data === "string" ? data.length : 0} characters of base64]`;
    case "resource_link":
      return `[link to ${wordOf(uri)}]`;
    default:
      return jsonText(block);
  }
}

const wordOf = (value: JsonValue | undefined): string => (typeof value === "string" ? value : "unknown");
