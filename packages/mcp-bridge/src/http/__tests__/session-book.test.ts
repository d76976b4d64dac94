import { GatewayError } from "@cortex-os/mcp-core";
import { describe, expect, test } from "vitest";
import type { Caller } from "../../runtime/exchange.js";
import { LegacySession, type SessionFacts } from "../legacy-session.js";
import { SessionBook } from "../session-book.js";
import { LEGACY_CALLER, MODERN_CALLER } from "./open-link.js";

/** Sessions that open when told to, and what became of them. */
function desk() {
  const ended: string[] = [];
  const opening: { resolve: (facts: SessionFacts) => void; reject: (error: GatewayError) => void }[] = [];
  const create = (): LegacySession =>
    new LegacySession({
      open: () => new Promise((resolve, reject) => opening.push({ resolve, reject })),
      end: (facts) => {
        ended.push(facts.id ?? "none");
        return Promise.resolve();
      },
      closedError: () => new GatewayError("UPSTREAM_UNAVAILABLE", "closed"),
    });
  return { create, ended, opening };
}

const facts = (id: string): SessionFacts => ({ id, revision: "2025-11-25", result: {} });
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("a legacy session", () => {
  test("is opened once for all who wait, and those who come later need not wait", async () => {
    const { create, opening } = desk();
    const session = create();
    const heard: (GatewayError | undefined)[] = [];
    session.whenOpen((error) => heard.push(error));
    session.whenOpen((error) => heard.push(error));
    expect(opening).toHaveLength(1);
    opening[0]?.resolve(facts("a"));
    await settled();
    session.whenOpen((error) => heard.push(error));
    expect(heard).toEqual([undefined, undefined, undefined]);
    expect(session.facts?.id).toBe("a");
  });

  test("tells all who wait why it could not be opened, and tries again for the next", async () => {
    const { create, opening } = desk();
    const session = create();
    const heard: (string | undefined)[] = [];
    session.whenOpen((error) => heard.push(error?.message));
    opening[0]?.reject(new GatewayError("UPSTREAM_TIMEOUT", "slow"));
    await settled();
    session.whenOpen((error) => heard.push(error?.message));
    opening[1]?.resolve(facts("b"));
    await settled();
    expect(heard).toEqual(["slow", undefined]);
  });

  test("is forgotten under the id that was lost only", async () => {
    const { create, opening } = desk();
    const session = create();
    session.whenOpen(() => {});
    opening[0]?.resolve(facts("new"));
    await settled();
    expect(session.lost("old")).toBe(false);
    expect(session.facts?.id).toBe("new");
    expect(session.lost("new")).toBe(true);
    expect(session.facts).toBeUndefined();
    expect(session.lost("new")).toBe(false);
  });

  test("closed while it opens, it fails those who wait and ends what was opened for nobody", async () => {
    const { create, opening, ended } = desk();
    const heard: (string | undefined)[] = [];
    for (const outcome of ["resolve", "reject"] as const) {
      const session = create();
      session.whenOpen((error) => heard.push(error?.message));
      const closing = session.close();
      session.whenOpen((error) => heard.push(error?.message));
      if (outcome === "resolve") opening.at(-1)?.resolve(facts("late"));
      else opening.at(-1)?.reject(new GatewayError("UPSTREAM_TIMEOUT", "slow"));
      await closing;
      await session.close();
    }
    await settled();
    expect(heard).toEqual(["closed", "closed", "closed", "closed"]);
    expect(ended).toEqual(["late"]);
  });
});

describe("the book of sessions", () => {
  test("keeps one per client session and one per principal, and no stranger's", () => {
    const { create } = desk();
    const book = new SessionBook(create);
    const bert: Caller = { ...MODERN_CALLER, principal: "bert" };
    const all = [LEGACY_CALLER, { ...LEGACY_CALLER, sessionKey: "client-2" }, MODERN_CALLER, bert].map((caller) =>
      book.of(caller),
    );
    expect(new Set(all).size).toBe(4);
    expect(book.of({ ...LEGACY_CALLER, principal: "other" })).toBe(all[0]);
    expect(book.of(MODERN_CALLER)).toBe(all[2]);
    book.end("client-1");
    book.end("client-1");
    expect(book.size).toBe(3);
  });

  test("makes room for principals by ending the one unused for longest, but none in use", async () => {
    const { create, ended } = desk();
    const book = new SessionBook((caller) => {
      const session = create();
      const known = new LegacySession(
        {
          open: () => Promise.reject(new Error("not needed")),
          end: (gone) => Promise.resolve(void ended.push(gone.id ?? "")),
          closedError: () => new GatewayError("UPSTREAM_UNAVAILABLE", "closed"),
        },
        { facts: facts(caller.principal) },
      );
      return caller.principal === "unopened" ? session : known;
    });
    const of = (principal: string) => book.of({ ...MODERN_CALLER, principal });
    of("p0").inFlight = 1;
    for (let at = 1; at < 256; at += 1) of(`p${String(at)}`);
    of("p1");
    of("new-1");
    of("new-2");
    expect(ended).toEqual(["p2", "p3"]);
    expect(book.size).toBe(256);
    await book.endAll();
    expect(book.size).toBe(0);
    expect(ended).toHaveLength(258);
  });

  test("grows rather than take a session away from a call", () => {
    const { create } = desk();
    const book = new SessionBook(create);
    for (let at = 0; at < 300; at += 1) book.of({ ...MODERN_CALLER, principal: String(at) }).inFlight = 1;
    expect(book.size).toBe(300);
  });
});
