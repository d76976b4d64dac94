import { expect, vi } from "vitest";
import { everyPage } from "../every-page.js";
import { named, statusOf, timesHeard, uriOf, type Operation, type Trial } from "../operation.js";

const UPDATED = "notifications/resources/updated";

/** The resource that this client watches and nobody else. */
const watchedBy = (trial: Trial): string => uriOf(trial, `extra/${String(trial.index).padStart(5, "0")}`);

/** Resources: listed, read, and watched. */
export const RESOURCE_OPERATIONS: readonly Operation[] = [
  {
    title: "`resources/list`",
    works: async (trial) => {
      const { entries } = await everyPage(trial.client, "resources/list", "resources");
      const expected = ["hello", "pair", "pixel"].map((path) => uriOf(trial, path));
      expect(entries.map(({ uri }) => uri)).toEqual(expect.arrayContaining(expected));
    },
  },
  {
    title: "`resources/templates/list`",
    works: async (trial) => {
      const { entries } = await everyPage(trial.client, "resources/templates/list", "resourceTemplates");
      expect(entries.map(({ uriTemplate }) => uriTemplate)).toContain(uriOf(trial, "item/{id}"));
    },
  },
  {
    title: "`resources/read`",
    works: async (trial) => {
      const { request } = trial.client;
      const pixel = await request("resources/read", { uri: uriOf(trial, "pixel") });
      expect(pixel["contents"]).toMatchObject([{ mimeType: "image/png" }]);
      const item = await request("resources/read", { uri: uriOf(trial, "item/7") });
      expect(item["contents"]).toMatchObject([{ text: `item 7 of ${trial.upstream.key}` }]);
      const pair = await trial.client.raw.request("resources/read", { uri: uriOf(trial, "pair") });
      expect(pair["contents"]).toHaveLength(2);
      // Hints for caches are owed to modern clients, and unknown to others (2026-07-28, Caching).
      expect(pair["ttlMs"] === undefined).toBe(trial.kind.era === "legacy");
      expect(pair["resultType"]).toBe(trial.kind.era === "legacy" ? undefined : "complete");
    },
  },
  {
    title: "unknown resources",
    works: async (trial) => {
      const own = uriOf(trial, "nowhere");
      // The address of ours that names the connector: it is the connector that does not have it.
      const uri = trial.isAlone ? own : `cortex://${trial.upstream.key}/${encodeURIComponent(own)}`;
      const { status, error } = await trial.client.raw.exchange("resources/read", { uri });
      // The code of older revisions must not be sent to a modern client (2026-07-28, Minor changes, 6).
      const isRetired = trial.kind.era === "legacy" && trial.upstream.era === "legacy";
      expect(error).toMatchObject({ code: isRetired ? -32_002 : -32_602, data: { uri: own } });
      expect(status).toBe(statusOf(trial, 200));
    },
  },
  {
    title: "told of an updated resource",
    refusal: ({ upstream: { isStateless } }) => (isStateless ? "noSubscriptions" : undefined),
    works: async (trial) => {
      const uri = watchedBy(trial);
      const stop = await trial.client.watch(uri);
      const before = timesHeard(trial.client, UPDATED);
      await trial.client.request("tools/call", { name: named(trial, "touch"), arguments: { uri } });
      await vi.waitFor(() => expect(timesHeard(trial.client, UPDATED)).toBe(before + 1));
      expect(trial.client.heard.findLast(({ method }) => method === UPDATED)?.params).toMatchObject({ uri });
      await stop();
    },
    refused: async (trial) => {
      const uri = watchedBy(trial);
      if (trial.kind.era === "legacy") {
        const { error } = await trial.client.raw.exchange("resources/subscribe", { uri });
        const refused = trial.isAlone ? { code: -32_601 } : { code: -31_001, data: { upstreamCode: -32_601 } };
        expect(error).toMatchObject(refused);
        return;
      }
      const abort = new AbortController();
      const { raw } = trial.client;
      const listening = raw.exchange(
        "subscriptions/listen",
        { notifications: { resourceSubscriptions: [uri] } },
        abort,
      );
      listening.catch(() => {});
      const acknowledged = "notifications/subscriptions/acknowledged";
      await vi.waitFor(() => expect(raw.heard.map(({ method }) => method)).toContain(acknowledged));
      const said = raw.heard.findLast(({ method }) => method === acknowledged);
      expect(said?.params["notifications"]).toEqual({});
      abort.abort("heard enough");
      await expect(listening).rejects.toThrow("heard enough");
    },
  },
];
