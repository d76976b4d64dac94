import { booleanArg } from "./args.js";
import type { Tool } from "./tool.js";

/** The smallest PNG there is: one transparent pixel. */
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
/** A WAV file of no samples. */
const WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=";

const BLOCKS = [
  { type: "text", text: "plain text: ünïcödé ✓ 世界", annotations: { audience: ["user"], priority: 0.5 } },
  { type: "image", data: PNG, mimeType: "image/png" },
  { type: "audio", data: WAV, mimeType: "audio/wav" },
  { type: "resource_link", uri: "fixture://linked", name: "linked", mimeType: "text/plain" },
  { type: "resource", resource: { uri: "fixture://embedded", mimeType: "text/plain", text: "embedded" } },
  { type: "resource", resource: { uri: "fixture://blob", mimeType: "application/octet-stream", blob: "AAEC/w==" } },
];
/** A type no specification knows: SDKs refuse it, a gateway has to let it pass. */
const VENDOR = { type: "com.example/hologram", frames: [1, 2, 3], "x-extra": { kept: true } };

/** One of every kind of content. */
export const content: Tool = {
  definition: {
    name: "content",
    title: "Content",
    description: "Answers with one block of every content type; with one of a vendor's own unless vendor is false.",
    inputSchema: { type: "object", properties: { vendor: { type: "boolean", default: true } } },
    annotations: { readOnlyHint: true, idempotentHint: true },
  },
  call: (args) => ({ content: booleanArg(args, "vendor", true) ? [...BLOCKS, VENDOR] : BLOCKS }),
};
