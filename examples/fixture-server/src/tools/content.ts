import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { PIXEL_PNG } from "../pixel.js";
import { authorityOf } from "../resources/authority.js";
import { EMPTY_WAV } from "../wav.js";
import { booleanArg, stringArg, ToolInputError } from "./args.js";
import type { Tool } from "./tool.js";

/** A type no specification knows: SDKs refuse it, a gateway has to let it pass. */
const VENDOR = { type: "com.example/hologram", frames: [1, 2, 3], "x-extra": { kept: true } };
/** Another one; it comes when it is asked for only. */
const UNKNOWN = { type: "x-unknown", payload: { deep: [null, "ünï", 1.5] }, _meta: { "com.example/kept": true } };

const blocksOf = (base: string): readonly (JsonObject & { readonly type: string })[] => [
  { type: "text", text: "plain text: ünïcödé ✓ 世界", annotations: { audience: ["user"], priority: 0.5 } },
  { type: "image", data: PIXEL_PNG, mimeType: "image/png" },
  { type: "audio", data: EMPTY_WAV, mimeType: "audio/wav" },
  { type: "resource_link", uri: `${base}/hello`, name: "hello", mimeType: "text/plain" },
  { type: "resource", resource: { uri: `${base}/embedded`, mimeType: "text/plain", text: "embedded" } },
  { type: "resource", resource: { uri: `${base}/blob`, mimeType: "application/octet-stream", blob: "AAEC/w==" } },
];

/** One of every kind of content, under a `_meta` of its own. */
export function content(serverName: string): Tool {
  const blocks = blocksOf(authorityOf(serverName));
  const every = [...blocks, VENDOR, UNKNOWN];
  const types = [...new Set(every.map(({ type }) => type))];
  return {
    definition: {
      name: "content",
      title: "Content",
      description:
        "Answers with one block of every content type, or of one kind; with a vendor's own unless told not to.",
      inputSchema: {
        type: "object",
        properties: { vendor: { type: "boolean", default: true }, kind: { type: "string", enum: types } },
      },
      annotations: { readOnlyHint: true, idempotentHint: true },
    },
    call(args) {
      const _meta = { "com.example/result": { kept: true } };
      if (args["kind"] === undefined) {
        return { content: booleanArg(args, "vendor", true) ? [...blocks, VENDOR] : blocks, _meta };
      }
      const kind = stringArg(args, "kind");
      const wanted = every.filter(({ type }) => type === kind);
      if (wanted.length === 0) throw new ToolInputError(`kind must be one of ${types.join(", ")}`);
      return { content: wanted, _meta };
    },
  };
}
