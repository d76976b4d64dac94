import { expect } from "vitest";
import { everyPage } from "../every-page.js";
import { named, uriOf, type Operation } from "../operation.js";

/** Prompts, and the completion of their arguments and of templates' variables. */
export const PROMPT_OPERATIONS: readonly Operation[] = [
  {
    title: "`prompts/list`",
    works: async (trial) => {
      const { entries } = await everyPage(trial.client, "prompts/list", "prompts");
      const expected = [named(trial, "greeting"), named(trial, "picture")];
      expect(entries.map(({ name }) => name)).toEqual(expect.arrayContaining(expected));
    },
  },
  {
    title: "`prompts/get`",
    works: async (trial) => {
      const { request } = trial.client;
      const greeting = await request("prompts/get", { name: named(trial, "greeting"), arguments: { name: "Ada" } });
      expect(greeting["messages"]).toMatchObject([
        { content: { text: "Write a friendly greeting for Ada." } },
        { content: expect.anything() },
      ]);
      const picture = await request("prompts/get", { name: named(trial, "picture") });
      expect(picture["messages"]).toMatchObject([{ content: { type: "image" } }, { content: { type: "resource" } }]);
    },
  },
  {
    title: "`completion/complete`",
    note: ({ kind: { revision } }) => (revision < "2025-06-18" ? "noContext" : undefined),
    works: async (trial) => {
      const { request } = trial.client;
      const knowsContext = trial.kind.revision >= "2025-06-18";
      const tone = await request("completion/complete", {
        ref: { type: "ref/prompt", name: named(trial, "greeting") },
        argument: { name: "tone", value: "f" },
        ...(knowsContext ? { context: { arguments: { name: "Dr. Curie" } } } : {}),
      });
      const values = knowsContext ? ["formal"] : ["friendly", "formal", "funny"];
      expect(tone["completion"]).toMatchObject({ values, total: values.length });
      const ids = await request("completion/complete", {
        ref: { type: "ref/resource", uri: uriOf(trial, "item/{id}") },
        argument: { name: "id", value: "00" },
      });
      expect(ids["completion"]).toMatchObject({ values: expect.arrayContaining(["001", "009"]), total: 10 });
    },
  },
];
