import { integerArg } from "./args.js";
import type { Tool } from "./tool.js";

const MOST_BYTES = 256 * 1024 * 1024;
const PATTERN = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-\n";

/** `bytes` characters of a repeating pattern, one byte each in UTF-8: lost or swapped pieces are seen. */
const patternText = (bytes: number): string => PATTERN.repeat(Math.ceil(bytes / PATTERN.length)).slice(0, bytes);

/** Answers with much text. */
export const large: Tool = {
  definition: {
    name: "large",
    title: "Large",
    description: "Answers with bytes bytes of text, in content blocks of chunkBytes each when that is given.",
    inputSchema: {
      type: "object",
      properties: {
        bytes: { type: "integer", minimum: 0, maximum: MOST_BYTES },
        chunkBytes: { type: "integer", minimum: 1, maximum: MOST_BYTES },
      },
      required: ["bytes"],
    },
    annotations: { readOnlyHint: true, idempotentHint: true },
  },
  call(args) {
    const text = patternText(integerArg(args, "bytes", 0, MOST_BYTES));
    const chunkBytes = integerArg(args, "chunkBytes", 1, MOST_BYTES, MOST_BYTES);
    if (text.length <= chunkBytes) return { content: [{ type: "text", text }] };
    const content = [];
    for (let at = 0; at < text.length; at += chunkBytes) {
      content.push({ type: "text", text: text.slice(at, at + chunkBytes) });
    }
    return { content };
  },
};
