import { randomUUID } from "node:crypto";
import { expect, vi } from "vitest";
import type { Members } from "../message.js";
import { oneAtATime } from "../one-at-a-time.js";
import { named, statusOf, timesHeard, type Operation, type Trial } from "../operation.js";

const TRACE = {
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  tracestate: "vendor=value,other=1",
  baggage: "userId=alice,serverNode=DF%2028",
};

const structured = async (trial: Trial, tool: string, more: object = {}): Promise<Members> => {
  const call = { name: named(trial, tool), arguments: {}, ...more };
  return (await trial.client.request("tools/call", call))["structuredContent"] as Members;
};

const cancelledSoFar = async (trial: Trial): Promise<number> =>
  Number((await structured(trial, "cancelled"))["cancelled"]);

/** Starts a call that does not end, cancels it when it is known to run, and waits until the client is told nothing more of it. */
async function cancelOne(trial: Trial): Promise<void> {
  const abort = new AbortController();
  let begun = (): void => {};
  const running = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const call = { name: named(trial, "slow"), arguments: { ms: 600_000, steps: 10_000 } };
  const calling = trial.client.request("tools/call", call, { signal: abort.signal, onProgress: begun });
  const outcome = expect(calling).rejects.toThrow(/changed my mind|abort/i);
  await running;
  abort.abort(new Error("changed my mind"));
  await outcome;
}

/** What goes on around a call: errors, progress, cancellation, log messages, metadata. */
export const CALL_OPERATIONS: readonly Operation[] = [
  {
    title: "a connector's own error: code, message, data, HTTP status",
    works: async (trial) => {
      const params = { name: named(trial, "greeting"), arguments: {} };
      const { status, error } = await trial.client.raw.exchange("prompts/get", params);
      expect(error).toEqual({ code: -32_602, message: "Missing required argument: name" });
      expect(status).toBe(statusOf(trial, 200));
      // One that no specification knows, and that has more to say.
      const own = { code: 4_711, message: "Not on a Sunday", data: { deep: [null, "ünï", 1.5], "x-own": true } };
      const refused = await trial.client.raw.exchange("fixture/refuse", { name: named(trial, "echo"), ...own });
      expect(refused.error).toEqual(own);
      expect(refused.status).toBe(statusOf(trial, 200));
    },
  },
  {
    title: "progress",
    works: async (trial) => {
      const call = { name: named(trial, "slow"), arguments: { ms: 80, steps: 3, label: trial.kind.title } };
      const heard: Members[] = [];
      // On the wire: SDKs drop the progress that comes in one turn with the answer. That they hear it is seen when a call is cancelled.
      await trial.client.raw.request("tools/call", call, { onProgress: (params) => heard.push(params) });
      expect(heard.map(({ progress, total }) => [progress, total])).toEqual([1, 2, 3].map((step) => [step, 3]));
      expect(heard.map(({ message }) => message)).toEqual([1, 2, 3].map((s) => `${trial.kind.title}: step ${s} of 3`));
    },
  },
  {
    title: "cancellation",
    note: ({ upstream: { isStateless } }) => (isStateless ? "notTold" : undefined),
    // The server counts what was cancelled, whoever did it.
    works: async (trial) =>
      oneAtATime(trial.upstream, async () => {
        const before = await cancelledSoFar(trial);
        await cancelOne(trial);
        // Where it cannot be told, none of all that were cancelled so far has ever been.
        const expected = trial.upstream.isStateless ? 0 : before + 1;
        await vi.waitFor(async () => expect(await cancelledSoFar(trial)).toBe(expected));
      }),
  },
  {
    title: "log messages, from the level that was asked for",
    refusal: ({ upstream: { isStateless } }) => (isStateless ? "noLevel" : undefined),
    works: async (trial) => {
      const text = randomUUID();
      await trial.client.callLogging(named(trial, "log"), { level: "debug", text: `${text} too mild` });
      await trial.client.callLogging(named(trial, "log"), { level: "warning", text });
      const said = (): readonly unknown[] =>
        trial.client.heard
          .filter(({ method, params }) => method === "notifications/message" && String(params["data"]).startsWith(text))
          .map(({ params }) => [params["level"], params["data"]]);
      await vi.waitFor(() => expect(said()).toEqual([["warning", text]]));
    },
    refused: async (trial) => {
      const before = timesHeard(trial.client, "notifications/message");
      if (trial.isAlone && trial.kind.era === "legacy") {
        const { error } = await trial.client.raw.exchange("logging/setLevel", { level: "info" });
        expect(error).toEqual({ code: -32_601, message: "Method not found: logging/setLevel" });
        return;
      }
      await trial.client.callLogging(named(trial, "log"), { level: "warning", text: "unheard" });
      // What is told comes ahead of the answer.
      expect(timesHeard(trial.client, "notifications/message")).toBe(before);
    },
  },
  {
    title: "`_meta`",
    works: async (trial) => {
      const _meta = { "com.example/deep": { a: [1, null, "ü"] }, "com.example/flag": true };
      const { meta, protocolVersion } = await structured(trial, "whoami", { _meta });
      // With the client's own session it may be the client's revision that is spoken, if that is the older one.
      expect([trial.upstream.revision, trial.kind.revision]).toContain(protocolVersion);
      expect(String(protocolVersion) <= trial.upstream.revision).toBe(true);
      expect(meta).toMatchObject(_meta);
      const modern = Object.keys(meta as Members).filter((key) => key.startsWith("io.modelcontextprotocol/"));
      // What only the modern era has never gets to a legacy server.
      expect(modern.length > 0).toBe(trial.upstream.era === "modern");
    },
  },
  {
    title: "trace context (SEP-414)",
    works: async (trial) => {
      const { meta } = await structured(trial, "whoami", { _meta: TRACE });
      expect(meta).toMatchObject(TRACE);
    },
  },
  {
    title: "vendor methods",
    works: async (trial) => {
      // It goes to the connector whose tool it names.
      const params = { name: named(trial, "echo"), "x-own": { deep: [1, null] } };
      const result = await trial.client.request("fixture/echo", params);
      expect(result["params"]).toMatchObject({ name: "echo", "x-own": { deep: [1, null] } });
    },
  },
  {
    title: "vendor methods that the connector does not know",
    works: async (trial) => {
      const { status, error } = await trial.client.raw.exchange("fixture/none", { name: named(trial, "echo") });
      expect(error).toEqual({ code: -32_601, message: "Method not found: fixture/none" });
      expect(status).toBe(statusOf(trial, 404));
    },
  },
];
