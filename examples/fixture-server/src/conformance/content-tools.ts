import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { PIXEL_PNG } from "../pixel.js";
import { EMPTY_WAV } from "../wav.js";
import type { Tool } from "../tools/tool.js";
import { NO_ARGUMENTS } from "./no-arguments.js";

const IMAGE = { type: "image", data: PIXEL_PNG, mimeType: "image/png" };
const resource = (uri: string, mimeType: string, text: string): JsonObject => ({
  type: "resource",
  resource: { uri, mimeType, text },
});

const contentTool = (name: string, content: readonly JsonObject[], more: { readonly isError?: true } = {}): Tool => ({
  definition: { name, description: "Always gives the same content.", inputSchema: NO_ARGUMENTS },
  call: () => ({ content, ...more }),
});

/** Tools that always give the same content, one for each kind. */
export const contentTools: readonly Tool[] = [
  contentTool("test_simple_text", [{ type: "text", text: "This is a simple text response for testing." }]),
  contentTool("test_image_content", [IMAGE]),
  contentTool("test_audio_content", [{ type: "audio", data: EMPTY_WAV, mimeType: "audio/wav" }]),
  contentTool("test_embedded_resource", [
    resource("test://embedded-resource", "text/plain", "This is an embedded resource content."),
  ]),
  contentTool("test_multiple_content_types", [
    { type: "text", text: "Multiple content types test:" },
    IMAGE,
    resource("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
  ]),
  contentTool("test_error_handling", [{ type: "text", text: "This tool intentionally returns an error for testing" }], {
    isError: true,
  }),
];
