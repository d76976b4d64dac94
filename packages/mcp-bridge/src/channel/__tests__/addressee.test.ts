import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { describe, expect, test } from "vitest";
import type { Caller } from "../../runtime/exchange.js";
import { addresseeOf } from "../addressee.js";
import type { LaneOwner } from "../lane-logs.js";

const ASKS = { elicitation: {}, roots: {} };
const legacy = (sessionKey: string, capabilities: JsonObject = ASKS): Caller => ({
  ...{ era: "legacy", revision: "2025-11-25", principal: "p", sessionKey, capabilities },
});
const modern: Caller = { era: "modern", revision: "2026-07-28", principal: "p" };
const all: LaneOwner = { kind: "all" };
const owned: LaneOwner = { kind: "session", sessionKey: "s", client: legacy("s") };
const by = (...callers: readonly Caller[]) => callers.map((caller, at) => ({ at, call: { caller } }));
const of = (owner: LaneOwner, inFlight: ReturnType<typeof by>, method = "elicitation/create") =>
  addresseeOf({ jsonrpc: "2.0", id: 1, method }, owner, inFlight);

describe("whom a request of a child is for (design.md, decision 6)", () => {
  test("of a child that clients share: the only call in flight whose client can answer", () => {
    expect(of(all, by(modern, legacy("a"), legacy("b", {})))).toMatchObject({ kind: "call", call: { at: 1 } });
  });

  test("several calls of that client: it is the client's, whichever of them it belongs to", () => {
    const found = of(all, by(legacy("a"), legacy("b", {}), legacy("a")));
    expect(found).toMatchObject({ kind: "session", sessionKey: "a", calls: [{ at: 0 }, { at: 2 }] });
  });

  test("two clients who could answer: nobody, because it could be the other's", () => {
    expect(of(all, by(legacy("a"), legacy("b")))).toMatchObject({
      kind: "ambiguous",
      error: { message: expect.stringContaining("several clients that share this server") },
    });
  });

  test.each([
    ["none in flight", [], "no call of a client is under way"],
    ["none that offers it", [legacy("a", {}), legacy("b", {})], "no client with a call under way offers it"],
    ["one that did not declare it", [legacy("a", {})], "it did not declare elicitation"],
    ["one of the other era", [modern], "it speaks revision 2026-07-28"],
  ])("%s: nobody, and the server is told why", (_, callers, why) => {
    expect(of({ kind: "principal" }, by(...callers))).toMatchObject({
      kind: "refused",
      error: { code: "METHOD_UNKNOWN", message: expect.stringContaining(why) },
    });
  });

  test("of a client's own child: that client, bound to its call if there is one, and never to one for its roots", () => {
    expect(of(owned, by(legacy("s")))).toMatchObject({ kind: "call", call: { at: 0 } });
    expect(of(owned, by(legacy("s"), legacy("s")))).toMatchObject({ kind: "session", calls: [{ at: 0 }, { at: 1 }] });
    expect(of(owned, [])).toMatchObject({ kind: "session", sessionKey: "s", calls: [] });
    expect(of(owned, by(legacy("s")), "roots/list")).toMatchObject({ kind: "session", calls: [{ at: 0 }] });
    expect(of(owned, [], "sampling/createMessage")).toMatchObject({ kind: "refused" });
  });
});
