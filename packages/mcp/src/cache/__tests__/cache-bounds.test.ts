import { expect, test } from "vitest";
import { keptAnswer } from "../kept-answer.js";
import { CacheSetUp, resultOf, sinkOf } from "./cache-set-up.js";

const KIB = 1024;
const text = (bytes: number): string => "x".repeat(bytes);

test("the answer that was not used for longest makes room (R18)", () => {
  const setUp = new CacheSetUp(100 * KIB);
  const connected = setUp.connector();
  const uris = Array.from({ length: 12 }, (_, at) => `x://${at}`);
  for (const uri of uris) {
    connected.readThrough(resultOf(text(10 * KIB)), { uri });
    // The first one is used all the time.
    connected.read({ uri: "x://0" });
  }
  const kept = uris.filter((uri) => connected.read({ uri }).upstream === undefined);
  expect(kept).toEqual(["x://0", ...uris.slice(-8)]);
  expect(setUp.counted.evictions).toBe(3);
  expect(setUp.store.bytes).toBeLessThanOrEqual(100 * KIB);
});

test("an answer that is too large is passed on and not kept, as bytes or as a message", () => {
  const setUp = new CacheSetUp(100 * KIB);
  const connected = setUp.connector();
  const large = resultOf(text(13 * KIB));
  expect(connected.readThrough(large).answer()["result"]).toEqual(large);
  const message = connected.read();
  sinkOf(message).original?.(large);
  sinkOf(message).respond({ jsonrpc: "2.0", id: 1, result: large });
  expect(connected.read().upstream).toBeDefined();
  expect(setUp.store.bytes).toBe(0);
});

test("no answer over 1 MiB is kept, however much room there is", () => {
  const setUp = new CacheSetUp(1024 * KIB * KIB);
  const connected = setUp.connector();
  connected.readThrough(resultOf(text(KIB * KIB)));
  expect(connected.read().upstream).toBeDefined();
  connected.readThrough(resultOf(text(KIB * KIB - 1_000)));
  expect(connected.read().upstream).toBeUndefined();
});

test("what is being read takes a quarter at most, and gives it back however it ends", () => {
  const setUp = new CacheSetUp(100 * KIB);
  const connected = setUp.connector();
  const begin = (uri: string) => {
    const sent = connected.read({ uri });
    sinkOf(sent).start(200, { "content-type": "application/json" });
    sinkOf(sent).write(Buffer.alloc(12 * KIB, " "));
    return sent;
  };
  const rest = Buffer.from(JSON.stringify({ jsonrpc: "2.0", id: 1, result: resultOf("") }));
  const finish = (sent: ReturnType<typeof begin>): void => {
    sinkOf(sent).write(rest);
    sinkOf(sent).end();
  };
  const [first, second, third] = [begin("x://1"), begin("x://2"), begin("x://3")];
  first.exchange.cancel("gone");
  second.exchange.resume();
  finish(second);
  // There was no room for it when it came.
  finish(third);
  finish(begin("x://4"));
  const kept = ["x://1", "x://2", "x://3", "x://4"].filter((uri) => connected.read({ uri }).upstream === undefined);
  expect(kept).toEqual(["x://2", "x://4"]);
  expect([first.upstream?.cancelled, second.upstream?.resumed]).toEqual(["gone", 1]);
});

test("a smaller bound takes effect at once, and none forgets everything", () => {
  const setUp = new CacheSetUp(100 * KIB);
  const connected = setUp.connector();
  for (const uri of ["x://1", "x://2", "x://3"]) connected.readThrough(resultOf(text(10 * KIB)), { uri });
  setUp.store.resize(25 * KIB);
  expect(setUp.store.bytes).toBeLessThanOrEqual(25 * KIB);
  expect(connected.read({ uri: "x://3" }).upstream).toBeUndefined();
  setUp.store.resize(0);
  expect(setUp.store.bytes).toBe(0);
  expect(connected.read({ uri: "x://3" }).upstream).toBeDefined();
});

test("an answer whose time was over makes room without being missed", async () => {
  const setUp = new CacheSetUp(20 * KIB);
  const connected = setUp.connector();
  for (let at = 0; at < 20; at += 1) {
    connected.readThrough(resultOf(text(2 * KIB), { ttlMs: 5 }), { uri: `x://${at}` });
    await setUp.time.advance(5);
  }
  expect(setUp.counted.evictions).toBe(0);
  expect(setUp.store.bytes).toBeLessThanOrEqual(20 * KIB);
});

test("an answer that is kept holds no more memory than it is counted with", () => {
  const kept = keptAnswer(resultOf("small"));
  expect(kept?.members.buffer.byteLength).toBe(kept?.members.length);
});
