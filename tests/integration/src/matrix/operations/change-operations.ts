import { randomUUID } from "node:crypto";
import { expect, vi } from "vitest";
import { everyPage } from "../every-page.js";
import { named, type Operation, type Trial } from "../operation.js";

const LISTS = [
  ["tools", "toggle", "tools/list"],
  ["resources", "toggle-resource", "resources/list"],
  ["prompts", "toggle-prompt", "prompts/list"],
] as const;

const listHas = async ({ client }: Trial, method: string, member: string, name: string): Promise<boolean> => {
  const { entries } = await everyPage(client, method, member);
  return entries.some((entry) => String(entry["name"]).endsWith(name));
};

/** Lists that change while a client looks on. */
export const CHANGE_OPERATIONS: readonly Operation[] = LISTS.map(([feature, toggle, method]) => ({
  title: `told that the list of ${feature} changed`,
  refusal: ({ upstream: { isStateless } }) => (isStateless ? "noWordOutsideCalls" : undefined),
  works: async (trial) => {
    const { name, heardBy } = await trial.changes.of(trial, feature, toggle);
    expect(heardBy.has(trial.client)).toBe(true);
    await vi.waitFor(async () => expect(await listHas(trial, method, feature, name)).toBe(true));
  },
  refused: async (trial) => {
    const name = `n${randomUUID().slice(0, 8)}`;
    const call = (present: boolean): object => ({ name: named(trial, toggle), arguments: { name, present } });
    await trial.client.request("tools/call", { ...call(true) });
    // Nobody has heard of it.
    expect(await listHas(trial, method, feature, name)).toBe(false);
    await trial.client.request("tools/call", { ...call(false) });
  },
}));
