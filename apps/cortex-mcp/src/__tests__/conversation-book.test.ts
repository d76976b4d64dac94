import { describe, expect, test } from "vitest";
import { ConversationBook } from "../stdio/conversation-book.js";

const line = (message: object): string => JSON.stringify({ jsonrpc: "2.0", ...message });
const request = (id: string | number, method: string, params?: object): string => line({ id, method, params });
const notification = (method: string, params?: object): string => line({ method, params });
const result = (id: string | number, value: object = {}): string => line({ id, result: value });
const error = (id: string | number | undefined, message = "no"): string =>
  line({ id, error: { code: -32_600, message } });
const subscription = (id: string | number): object => ({ "io.modelcontextprotocol/subscriptionId": id });
const acknowledged = (id: string | number, notifications: object): string =>
  notification("notifications/subscriptions/acknowledged", { _meta: subscription(id), notifications });
const FAREWELL = notification("notifications/cortex-mcp/farewell");
const UNKNOWN = "the gateway went away; whether the call was carried out is not known";

const parsed = (lines: readonly string[]): unknown[] => lines.map((text) => JSON.parse(text) as unknown);

/** A book in which a legacy session was opened. */
function withSession(capabilities: object = { tools: { listChanged: true } }): ConversationBook {
  const book = new ConversationBook();
  book.sent(request("i", "initialize", { protocolVersion: "2025-11-25" }));
  book.heard(result("i", { protocolVersion: "2025-11-25", capabilities }));
  book.sent(notification("notifications/initialized"));
  return book;
}

describe("what was under way when the gateway died", () => {
  test("is asked again where that does no harm, and fails where it could: a call is never made twice", () => {
    const book = new ConversationBook();
    for (const [id, method] of ["tools/list", "tools/call", "resources/read", "x/unknown", "ping"].entries())
      book.sent(request(id, method));
    book.heard(result(4));
    expect(parsed(book.lost())).toEqual([
      { jsonrpc: "2.0", id: 1, error: { code: -31_001, message: UNKNOWN } },
      { jsonrpc: "2.0", id: 3, error: { code: -31_001, message: UNKNOWN.replace("call", "request") } },
    ]);
    expect(book.replay()).toEqual({
      toGateway: [request(0, "tools/list"), request(2, "resources/read")],
      toClient: [],
    });
    expect(book.heard(result(0))).toEqual([result(0)]);
    expect(book.replay().toGateway).toEqual([request(2, "resources/read")]);
  });

  test("R22: what it asked the client needs no answer any more, unless it was answered or withdrawn", () => {
    const book = withSession();
    for (const id of ["a", "b", "c"]) expect(book.heard(request(id, "elicitation/create"))).toHaveLength(1);
    book.sent(result("a"));
    book.heard(notification("notifications/cancelled", { requestId: "b" }));
    const reason = "the gateway went away";
    expect(book.lost()).toEqual([notification("notifications/cancelled", { requestId: "c", reason })]);
    expect(book.lost()).toEqual([]);
  });

  test("is asked again, calls too, when the gateway said farewell: it answered everything that it read", () => {
    const book = new ConversationBook();
    book.sent(request(1, "tools/call", { name: "x" }));
    expect(book.heard(FAREWELL)).toEqual([]);
    expect(book.saidFarewell).toBe(true);
    expect(book.lost()).toEqual([]);
    expect(book.saidFarewell).toBe(false);
    expect(book.replay().toGateway).toEqual([request(1, "tools/call", { name: "x" })]);
    expect(book.lost()).toHaveLength(1);
  });

  test("R22: is not asked again after a farewell when it came in a batch: a batch that was refused has no answer either", () => {
    const book = withSession();
    book.sent(`[${request(1, "tools/call")},${request(2, "tools/list")}]`);
    expect(book.heard(error(undefined))).toEqual([error(undefined)]);
    book.heard(FAREWELL);
    expect(parsed(book.lost())).toMatchObject([{ id: 1, error: { code: -31_001, message: UNKNOWN } }]);
    expect(book.replay().toGateway).toContain(request(2, "tools/list"));
    expect(book.replay().toGateway.join()).not.toContain("tools/call");
    book.sent(request(1, "tools/call"));
    book.heard(FAREWELL);
    expect(book.lost()).toEqual([]);
  });

  test("is asked again when it did not get there: there was nobody to read it", () => {
    const book = new ConversationBook();
    const batch = `[${request(1, "tools/call")},${request(2, "tools/call")}]`;
    book.sent(batch);
    book.sent(request(3, "tools/call"));
    book.heard(result(2));
    book.unsent(batch);
    book.unsent("nonsense");
    expect(parsed(book.lost())).toMatchObject([{ id: 3 }]);
    expect(book.replay().toGateway).toEqual([request(1, "tools/call")]);
    expect(book.lost()).toHaveLength(1);
  });

  test("is forgotten when the client cancelled it", () => {
    const book = new ConversationBook();
    book.sent(request(1, "tools/call"));
    book.sent(request("l", "subscriptions/listen"));
    for (const requestId of [1, "l", "unknown", null])
      book.sent(notification("notifications/cancelled", { requestId }));
    expect(book.lost()).toEqual([]);
    expect(book.replay().toGateway).toEqual([]);
  });
});

describe("a legacy session", () => {
  test("is opened again under an id of ours, whose answer the client does not see, with its level and its subscriptions", () => {
    const book = withSession();
    const steps = [
      ["logging/setLevel", { level: "error" }],
      ["logging/setLevel", { level: "debug" }],
      ["resources/subscribe", { uri: "a" }],
      ["resources/subscribe", { uri: "b" }],
      ["resources/subscribe", {}],
      ["resources/unsubscribe", { uri: "a" }],
      ["resources/unsubscribe", {}],
    ] as const;
    for (const [id, [method, params]] of steps.entries()) {
      book.sent(request(id, method, params));
      book.heard(result(id));
    }
    book.sent(request("refused", "resources/subscribe", { uri: "c" }));
    expect(book.heard(error("refused"))).toHaveLength(1);
    book.lost();
    const { toGateway, toClient } = book.replay();
    expect(parsed(toGateway)).toEqual([
      { jsonrpc: "2.0", id: "cortex-mcp-relay/1", method: "initialize", params: { protocolVersion: "2025-11-25" } },
      { jsonrpc: "2.0", method: "notifications/initialized" },
      { jsonrpc: "2.0", id: "cortex-mcp-relay/2", method: "logging/setLevel", params: { level: "debug" } },
      { jsonrpc: "2.0", id: "cortex-mcp-relay/3", method: "resources/subscribe", params: { uri: "b" } },
    ]);
    expect(parsed(toClient)).toEqual([
      { jsonrpc: "2.0", method: "notifications/tools/list_changed" },
      { jsonrpc: "2.0", method: "notifications/resources/updated", params: { uri: "b" } },
    ]);
    for (const id of [1, 2, 3]) expect(book.heard(result(`cortex-mcp-relay/${id}`))).toEqual([]);
    expect(book.heard(result("cortex-mcp-relay/1"))).toHaveLength(1);
    expect(book.refusal).toBeUndefined();
  });

  test("tells only of lists whose changes its server promised to tell, and nothing before the client is ready", () => {
    const promised = { tools: {}, resources: { listChanged: true }, prompts: { listChanged: true }, logging: true };
    expect(parsed(withSession(promised).replay().toClient)).toMatchObject([
      { method: "notifications/resources/list_changed" },
      { method: "notifications/prompts/list_changed" },
    ]);
    const early = new ConversationBook();
    early.sent(request("i", "initialize"));
    early.heard(result("i", { capabilities: promised }));
    expect(early.replay().toClient).toEqual([]);
    expect(parsed(early.replay().toGateway)).toMatchObject([{ method: "initialize" }]);
    expect(withSession(["odd"]).replay().toClient).toEqual([]);
  });

  test("that is being opened is opened as the client asked, under its id", () => {
    const book = new ConversationBook();
    book.sent(request("i", "initialize"));
    book.lost();
    expect(book.replay().toGateway).toEqual([request("i", "initialize")]);
    expect(book.heard(result("i"))).toEqual([result("i")]);
  });

  test("that the next gateway refuses is known to be", () => {
    const book = withSession();
    book.replay();
    expect(book.heard(error("cortex-mcp-relay/1", "all sessions are in use"))).toEqual([]);
    expect(book.refusal).toBe("all sessions are in use");
    book.replay();
    expect(book.refusal).toBeUndefined();
  });
});

describe("a subscription of the modern era", () => {
  const agreed = { toolsListChanged: true, resourceSubscriptions: ["a", 1], promptsListChanged: false };

  test("goes on with the next gateway: acknowledged once, told what it may have missed, closed by no gateway's end", () => {
    const book = new ConversationBook();
    const listen = request("l", "subscriptions/listen", { notifications: { toolsListChanged: true } });
    book.sent(listen);
    expect(book.heard(acknowledged("l", agreed))).toHaveLength(1);
    expect(book.heard(result("l", { resultType: "complete" }))).toEqual([]);
    book.lost();
    expect(book.replay()).toEqual({ toGateway: [listen], toClient: [] });
    expect(parsed(book.heard(acknowledged("l", agreed)))).toEqual([
      { jsonrpc: "2.0", method: "notifications/tools/list_changed", params: { _meta: subscription("l") } },
      { jsonrpc: "2.0", method: "notifications/resources/updated", params: { _meta: subscription("l"), uri: "a" } },
    ]);
    expect(parsed(book.goodbyes())).toEqual([
      { jsonrpc: "2.0", id: "l", result: { resultType: "complete", _meta: subscription("l") } },
    ]);
  });

  test("that was not acknowledged yet is acknowledged by the next gateway", () => {
    const book = new ConversationBook();
    book.sent(request(1, "subscriptions/listen"));
    book.lost();
    book.replay();
    expect(book.heard(acknowledged(1, {}))).toHaveLength(1);
    expect(book.heard(notification("notifications/subscriptions/acknowledged"))).toHaveLength(1);
    expect(book.heard(notification("notifications/subscriptions/acknowledged", { _meta: subscription(1) }))).toEqual(
      [],
    );
  });

  test("that is refused is over", () => {
    const book = new ConversationBook();
    book.sent(request(1, "subscriptions/listen"));
    expect(book.heard(error(1))).toEqual([error(1)]);
    expect(book.replay().toGateway).toEqual([]);
  });
});

test("whatever else a gateway sends reaches the client as it is", () => {
  const book = withSession();
  for (const text of [
    notification("notifications/progress", { progress: 1 }),
    error(undefined),
    result("unknown"),
    request(1, "roots/list"),
    "nonsense",
  ])
    expect(book.heard(text)).toEqual([text]);
});
