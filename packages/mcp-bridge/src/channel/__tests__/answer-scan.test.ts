import { isDeeperThan, MAX_JSON_DEPTH } from "@cortex-os/mcp-core/wire";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AnswerScan } from "../answer-scan.js";
import { classify } from "../classify.js";

interface Seen {
  readonly id: number;
  readonly result: string;
}

/** What the scan is sure of, or nothing. */
function scan(line: string | Buffer): Seen | undefined {
  const bytes = typeof line === "string" ? Buffer.from(line) : line;
  const seen = new AnswerScan();
  return seen.read(bytes) ? { id: seen.id, result: bytes.toString("utf8", seen.from, seen.to) } : undefined;
}

const space = fc.constantFrom("", "", " ", "\t", "  ");
const id = fc.nat();
const result = fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue());
/** An answer as any server may write it: its members in any order, white space anywhere outside of the result. */
const written = fc
  .tuple(id, result, fc.constantFrom(undefined, 1, "\t"), fc.array(space, { minLength: 20, maxLength: 20 }))
  .chain(([number, object, indent, gaps]) => {
    const value = JSON.stringify(object, undefined, indent).replaceAll("\n", " ");
    const members = [`"jsonrpc"#:#"2.0"`, `"id"#:#${number}`, `"result"#:#${value.replaceAll("#", "\\u0023")}`];
    return fc.shuffledSubarray(members, { minLength: 3 }).map((order) => {
      let gap = 0;
      const line = `{#${order.join("#,#")}#}#`.replaceAll("#", () => gaps[gap++] ?? "");
      return { line, id: number, result: JSON.parse(value) as unknown };
    });
  });

/** What is inside of strings is not judged: for the oracle it is made good. */
const withGoodStrings = (json: string): string =>
  json.replaceAll(/"(?:[^"\\]|\\.)*"/g, (text) =>
    text
      .replaceAll(/(\\(?:u[\da-fA-F]{4}|["\\/bfnrt]))|\\./g, (escaped, good?: string) =>
        good === undefined ? ".." : escaped,
      )
      .replaceAll(/[\0-\x1f]/g, "."),
  );

describe("a line that is a good answer for sure", () => {
  test("is told with its id and the bytes of its result, however it is written: spliced into another envelope it is the same message", () => {
    fc.assert(
      fc.property(written, fc.oneof(fc.string({ unit: "binary" }), fc.nat()), (answer, clientId) => {
        const seen = scan(answer.line);
        expect(seen?.id).toBe(answer.id);
        const spliced = `{"jsonrpc":"2.0","id":${JSON.stringify(clientId)},"result":${seen?.result}}`;
        const reencoded = JSON.stringify({ jsonrpc: "2.0", id: clientId, result: answer.result });
        expect(JSON.parse(spliced)).toEqual(JSON.parse(reencoded));
      }),
    );
  });

  test.each([
    ["the order of the SDK", '{"result":{"content":[]},"jsonrpc":"2.0","id":7}'],
    ["white space as Python writes it", '{"jsonrpc": "2.0", "id": 7, "result": {"content": []}}'],
    ["a carriage return before the newline", '{"jsonrpc":"2.0","id":7,"result":{"content":[]}}\r'],
    [
      "names of the envelope inside of the result",
      '{"jsonrpc":"2.0","result":{"id":9,"result":{"id":1},"error":{}},"id":7}',
    ],
    ["an envelope inside of a string", `{"jsonrpc":"2.0","id":7,"result":{"t":"\\"},\\"id\\":9,\\"x\\":{\\"\\\\"}}`],
    [
      "a long string full of quotes and backslashes",
      `{"jsonrpc":"2.0","id":7,"result":{"t":${JSON.stringify('\\"'.repeat(500))}}}`,
    ],
    [
      "numbers that no double holds",
      '{"jsonrpc":"2.0","id":7,"result":{"n":[123456789012345678901234567890,1e400,-0.0E-2]}}',
    ],
    ["a key of the result twice", '{"jsonrpc":"2.0","id":7,"result":{"a":1,"a":2,"__proto__":{}}}'],
  ])("%s", (_, line) => {
    const seen = scan(line);
    expect(seen?.id).toBe(7);
    expect(JSON.parse(seen?.result ?? "")).toEqual((JSON.parse(line) as { result: unknown }).result);
  });
});

describe("a line of which it is not sure", () => {
  test.each([
    ["an error", '{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"no"}}'],
    ["a result and an error", '{"jsonrpc":"2.0","id":7,"result":{},"error":{"code":1,"message":"no"}}'],
    ["a request", '{"jsonrpc":"2.0","id":7,"method":"ping"}'],
    ["a request with a result", '{"jsonrpc":"2.0","id":7,"method":"ping","result":{}}'],
    ["a notification", '{"jsonrpc":"2.0","method":"notifications/progress","params":{}}'],
    ["a batch", '[{"jsonrpc":"2.0","id":7,"result":{}}]'],
    ["no id", '{"jsonrpc":"2.0","result":{}}'],
    ["an id in the result only", '{"jsonrpc":"2.0","result":{"id":7}}'],
    ["an id in a string only", '{"jsonrpc":"2.0","result":{"t":"\\",\\"id\\":7"}}'],
    ["the id twice", '{"jsonrpc":"2.0","id":7,"result":{},"id":8}'],
    ["the id twice, once spelled with an escape", '{"jsonrpc":"2.0","id":7,"result":{},"\\u0069d":8}'],
    ["the id spelled with an escape", '{"jsonrpc":"2.0","i\\u0064":7,"result":{}}'],
    ["the result twice", '{"jsonrpc":"2.0","id":7,"result":{},"result":{"a":1}}'],
    ["the version twice", '{"jsonrpc":"2.0","id":7,"jsonrpc":"1.0","result":{}}'],
    ["another version", '{"jsonrpc":"1.0","id":7,"result":{}}'],
    ["no version", '{"id":7,"result":{}}'],
    ["a member that nobody knows", '{"jsonrpc":"2.0","id":7,"result":{},"more":1}'],
    ["another case", '{"jsonrpc":"2.0","ID":7,"result":{}}'],
    ["an id that is text", '{"jsonrpc":"2.0","id":"7","result":{}}'],
    ["an id that is null", '{"jsonrpc":"2.0","id":null,"result":{}}'],
    ["a negative id", '{"jsonrpc":"2.0","id":-7,"result":{}}'],
    ["an id with a fraction", '{"jsonrpc":"2.0","id":7.0,"result":{}}'],
    ["an id with an exponent", '{"jsonrpc":"2.0","id":7e0,"result":{}}'],
    ["an id that begins with zero", '{"jsonrpc":"2.0","id":07,"result":{}}'],
    ["an id beyond what a double holds", '{"jsonrpc":"2.0","id":9007199254740993,"result":{}}'],
    ["a result that is a list", '{"jsonrpc":"2.0","id":7,"result":[]}'],
    ["a result that is null", '{"jsonrpc":"2.0","id":7,"result":null}'],
    ["something behind it", '{"jsonrpc":"2.0","id":7,"result":{}}{"jsonrpc":"2.0","id":8,"result":{}}'],
    ["half of it", '{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"te'],
    [
      "two lines written into each other",
      '{"jsonrpc":"2.0","id":7,"result":{"a":"x{"jsonrpc":"2.0","id":8,"result":{}}"}}',
    ],
    ["brackets that do not match", '{"jsonrpc":"2.0","id":7,"result":{"a":[}]}'],
    ["a comma too many", '{"jsonrpc":"2.0","id":7,"result":{"a":1,}}'],
    ["a comma too few", '{"jsonrpc":"2.0","id":7,"result":{"a":1 "b":2}}'],
    ["a colon too few", '{"jsonrpc":"2.0","id" 7,"result":{}}'],
    ["a comma at the end", '{"jsonrpc":"2.0","id":7,"result":{},}'],
    ["a word that is none", '{"jsonrpc":"2.0","id":7,"result":{"a":nul}}'],
    ["numbers that are none", '{"jsonrpc":"2.0","id":7,"result":{"a":01}}'],
    ["a number without digits", '{"jsonrpc":"2.0","id":7,"result":{"a":-}}'],
    ["a number that ends in its point", '{"jsonrpc":"2.0","id":7,"result":{"a":1.}}'],
    ["a number that ends in its exponent", '{"jsonrpc":"2.0","id":7,"result":{"a":1e+}}'],
    ["a name that is no string", '{"jsonrpc":"2.0","id":7,"result":{a:1}}'],
    ["a carriage return in it, which would end a line elsewhere", '{"jsonrpc":"2.0","id":7,"result":{"a":\r\r1}}'],
    ["a carriage return in a string", '{"jsonrpc":"2.0","id":7,"result":{"a":"\r\rdata: {}\r\r"}}'],
    ["a byte order mark", '\uFEFF{"jsonrpc":"2.0","id":7,"result":{}}'],
    ["white space first", ' {"jsonrpc":"2.0","id":7,"result":{}}'],
    ["nothing", ""],
    ["an object without members", "{}"],
    ["a banner", "Server running on stdio"],
  ])("%s", (_, line) => {
    expect(scan(line)).toBeUndefined();
  });

  test("what is not UTF-8", () => {
    const line = Buffer.from('{"jsonrpc":"2.0","id":7,"result":{"t":"?"}}');
    for (const byte of [0x80, 0xc0, 0xff]) {
      line[line.indexOf("?")] = byte;
      expect(scan(line)).toBeUndefined();
      line[line.indexOf(byte)] = 0x3f;
    }
    expect(scan(line)).toBeDefined();
  });

  test("what nests deeper than the gateway passes on, as it is counted where results are read (threat 6)", () => {
    for (const levels of [1, MAX_JSON_DEPTH - 1, MAX_JSON_DEPTH, MAX_JSON_DEPTH + 1, 100_000]) {
      const nested = `{"a":${"[".repeat(levels - 1)}${"]".repeat(levels - 1)}${levels === 1 ? "0" : ""}}`;
      const isTooDeep = levels < 1_000 ? isDeeperThan(JSON.parse(nested), MAX_JSON_DEPTH) : true;
      expect(scan(`{"jsonrpc":"2.0","id":7,"result":${nested}}`) === undefined).toBe(isTooDeep);
    }
  });

  test("any line it is sure of is that answer to whoever reads JSON, whatever was done to its bytes", () => {
    const byte = fc.constantFrom(...'{}[]":,\\0123456789.-+eE \tnulltruefalsidrponc2'.split(""));
    const change = fc.record({ at: fc.nat(), cut: fc.nat({ max: 3 }), put: fc.string({ unit: byte, maxLength: 3 }) });
    fc.assert(
      fc.property(written, fc.array(change, { minLength: 1, maxLength: 3 }), ({ line }, changes) => {
        let mutant = line;
        for (const { at, cut, put } of changes) {
          const from = at % (mutant.length + 1);
          mutant = mutant.slice(0, from) + put + mutant.slice(from + cut);
        }
        const seen = scan(mutant);
        if (seen === undefined) return;
        const read = classify(JSON.parse(withGoodStrings(Buffer.from(mutant).toString())));
        expect(read).toMatchObject({ kind: "response", message: { id: seen.id } });
        const whole = read.kind === "response" && "result" in read.message ? read.message.result : undefined;
        expect(JSON.parse(withGoodStrings(seen.result))).toEqual(whole);
      }),
      { numRuns: 2_000 },
    );
  });
});
