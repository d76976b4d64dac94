import { ManualTime, RecordingLogger } from "@cortex-os/mcp-core/testing";
import { META, type JsonObject, type JsonRpcNotification } from "@cortex-os/mcp-core/wire";
import { describe, expect, test } from "vitest";
import type { EarEnd } from "../../listening/ear.js";
import { Channel } from "../channel.js";
import { ListenEars } from "../listen-ears.js";

function earsUnderTest(takes: () => boolean = () => true) {
  const written: JsonObject[] = [];
  const strange: string[] = [];
  const channel: Channel = new Channel({
    output: "stdout",
    ...{
      connectorId: "demo",
      timers: new ManualTime(),
      monotonic: new ManualTime(),
      logger: new RecordingLogger(),
      redact: (text) => text,
    },
    write: (line) => {
      if (!takes()) return undefined;
      written.push(JSON.parse(line) as JsonObject);
      return { withdraw: () => false };
    },
    onRequest: () => {},
    onNotification: (notification: JsonRpcNotification) => {
      if (!ears.take(notification)) strange.push(notification.method);
    },
  });
  const ears: ListenEars = new ListenEars("demo", channel);
  const open = () => {
    const heard: string[] = [];
    const ends: EarEnd[] = [];
    const opened = { count: 0 };
    const ear = ears.open(
      { m: 1 },
      {
        onOpen: () => {
          opened.count += 1;
        },
        onNotification: ({ method }) => heard.push(method),
        onEnd: (end) => ends.push(end),
      },
    );
    return { ear, heard, ends, opened };
  };
  const say = (message: object): void => channel.accept(JSON.stringify({ jsonrpc: "2.0", ...message }), 1);
  return { open, say, written, strange };
}

const about = (id: number | string, method = "notifications/x"): object => ({
  method,
  params: { _meta: { [META.subscriptionId]: id } },
});

describe("subscriptions that share a server's channel (2026-07-28, Subscriptions)", () => {
  test("each hears what bears its mark, and nobody what bears another's", () => {
    const { open, say, written, strange } = earsUnderTest();
    const [one, two] = [open(), open()];
    say(about(2, "notifications/a"));
    say(about(1, "notifications/b"));
    say(about(2, "notifications/c"));
    say(about(77));
    say(about("2"));
    say({ method: "notifications/other" });
    expect([one.heard, two.heard]).toEqual([["notifications/b"], ["notifications/a", "notifications/c"]]);
    expect(two.opened.count).toBe(1);
    expect(strange).toEqual(["notifications/other"]);
    expect(written).toEqual(
      [1, 2].map((id) => ({ jsonrpc: "2.0", id, method: "subscriptions/listen", params: { m: 1 } })),
    );
  });

  test("closing one tells the server, once, and it is heard no more", () => {
    const { open, say, written, strange } = earsUnderTest();
    const { ear, heard, ends } = open();
    ear.close();
    ear.close();
    say(about(1));
    say({ id: 1, result: {} });
    expect(written.slice(1)).toEqual([{ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } }]);
    expect([heard, ends, strange]).toEqual([[], [], []]);
  });

  test("the server may end one by answering it or by cancelling it, or refuse it", () => {
    const { open, say } = earsUnderTest();
    const [answered, cancelled, refused] = [open(), open(), open()];
    say({ id: 1, result: {} });
    say({ method: "notifications/cancelled", params: { requestId: 2 } });
    say({ method: "notifications/cancelled", params: { requestId: 2 } });
    say({ method: "notifications/cancelled" });
    say({ id: 2, result: {} });
    say({ method: "notifications/progress", params: { progressToken: 3, progress: 1 } });
    say({ id: 3, error: { code: -32_602, message: "limit" } });
    expect([answered.ends, cancelled.ends]).toEqual([[{ kind: "ended" }], [{ kind: "ended" }]]);
    expect(refused.ends).toMatchObject([{ kind: "refused", error: { data: { upstreamCode: -32_602 } } }]);
  });

  test("one that could not be asked for has ended", () => {
    const { open, say } = earsUnderTest(() => false);
    const { ends, ear } = open();
    expect(ends).toEqual([{ kind: "ended" }]);
    say(about(1));
    ear.close();
  });
});
