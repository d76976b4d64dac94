import { expect } from "vitest";
import { everyPage } from "../every-page.js";
import type { Members } from "../message.js";
import { named, PAGE_SIZE, statusOf, uriOf, type Operation } from "../operation.js";

const KNOWN_TYPES = ["text", "image", "audio", "resource_link", "resource", "resource"];
const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

/** Tools: listed page by page, called, and what comes of it. */
export const TOOL_OPERATIONS: readonly Operation[] = [
  {
    title: "`tools/list`, page by page",
    works: async (trial) => {
      // The SDK of 2026-07-28 follows the pages itself.
      for (const client of [trial.client, trial.client.raw]) {
        const { entries, pages } = await everyPage(client, "tools/list", "tools");
        const names = entries.map(({ name }) => name);
        expect(names).toEqual(expect.arrayContaining([named(trial, "echo"), named(trial, "log")]));
        expect(new Set(names).size).toBe(names.length);
        if (client === trial.client.raw) expect(pages).toBe(Math.ceil(names.length / PAGE_SIZE));
        if (!trial.isAlone) expect(names.length).toBeGreaterThan(PAGE_SIZE);
      }
    },
  },
  {
    title: "`tools/call`",
    works: async (trial) => {
      const call = { name: named(trial, "echo"), arguments: { message: "ünïcödé ✓" } };
      expect(await trial.client.request("tools/call", call)).toMatchObject({ content: [{ text: "ünïcödé ✓" }] });
    },
  },
  {
    title: "structured content",
    note: ({ kind: { revision } }) => (revision < "2025-06-18" ? "textOnly" : undefined),
    works: async (trial) => {
      const call = { name: named(trial, "add"), arguments: { a: 2, b: 40 } };
      const { content, structuredContent } = await trial.client.request("tools/call", call);
      expect(structuredContent).toEqual({ sum: 42 });
      expect(JSON.parse((content as { text: string }[])[0]?.text ?? "")).toEqual({ sum: 42 });
    },
  },
  {
    title: "every content type, and unknown ones",
    note: ({ kind: { revision } }) => (revision < "2025-06-18" ? "laterContent" : undefined),
    works: async (trial) => {
      // On the wire: SDKs refuse types that they do not know.
      const { content, _meta } = await trial.client.raw.request("tools/call", {
        name: named(trial, "content"),
        arguments: {},
      });
      const blocks = content as Members[];
      expect(blocks.map(({ type }) => type)).toEqual([...KNOWN_TYPES, "com.example/hologram"]);
      expect(blocks[1]).toEqual({ type: "image", data: PIXEL, mimeType: "image/png" });
      expect(blocks[3]).toMatchObject({ uri: uriOf(trial, "hello") });
      expect(blocks[6]).toEqual({ type: "com.example/hologram", frames: [1, 2, 3], "x-extra": { kept: true } });
      expect(_meta).toMatchObject({ "com.example/result": { kept: true } });
      const { content: unknown } = await trial.client.raw.request("tools/call", {
        name: named(trial, "content"),
        arguments: { kind: "x-unknown" },
      });
      const payload = { deep: [null, "ünï", 1.5] };
      expect(unknown).toEqual([{ type: "x-unknown", payload, _meta: { "com.example/kept": true } }]);
    },
  },
  {
    title: "tools that fail (`isError`)",
    works: async (trial) => {
      const call = { name: named(trial, "fail"), arguments: { message: "no" } };
      expect(await trial.client.request("tools/call", call)).toMatchObject({ isError: true });
    },
  },
  {
    title: "unknown tools",
    works: async (trial) => {
      const name = named(trial, "none");
      const { status, error } = await trial.client.raw.exchange("tools/call", { name, arguments: {} });
      // At the connector's own address it is the connector who says so.
      expect(error).toEqual({
        code: -32_602,
        message: trial.isAlone ? "Unknown tool: none" : `Unknown tool: "${name}"`,
      });
      expect(status).toBe(statusOf(trial, 200));
    },
  },
];
