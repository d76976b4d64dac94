import { DEFAULT_NAME_POLICY, type NamePolicy } from "@cortex-os/mcp-core";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { partOfTools } from "../../__tests__/support/parts.js";
import { toolOf } from "../../__tests__/support/test-upstreams.js";
import type { CatalogPart, NameCollision } from "../catalog-part.js";
import type { ToolEntry } from "../catalog-entry.js";
import { MergedList } from "../merged-list.js";
import { namedBy } from "../naming-rule.js";
import { TOOL_SHAPE } from "../tool-shape.js";

const ALWAYS: NamePolicy = DEFAULT_NAME_POLICY;
const NEVER: NamePolicy = { ...DEFAULT_NAME_POLICY, prefix: "never" };
const AUTO: NamePolicy = { ...DEFAULT_NAME_POLICY, prefix: "auto" };

interface NamedTools {
  readonly tools: readonly ToolEntry[];
  readonly collisions: readonly NameCollision[];
}
const nameTools = (parts: readonly CatalogPart[], policy: NamePolicy): NamedTools => {
  const list = new MergedList("tools", namedBy(policy), TOOL_SHAPE);
  list.update(parts);
  return { tools: list.entries.toArray(), collisions: list.collisions };
};
const partOf = (key: string, ...names: string[]): CatalogPart => partOfTools(key, names.map(toolOf));
const namesOf = (parts: readonly CatalogPart[], policy: NamePolicy): string[] =>
  nameTools(parts, policy).tools.map(({ name }) => name);

describe("public names", () => {
  test("always: every tool gets its connector's key", () => {
    expect(namesOf([partOf("a", "read", "write"), partOf("b", "read")], ALWAYS)).toEqual([
      "a__read",
      "a__write",
      "b__read",
    ]);
  });

  test("never: a name that one connector offers is left as it is, one that two offer is refused to both", () => {
    const named = nameTools([partOf("a", "read", "write"), partOf("b", "read")], NEVER);
    expect(named.tools.map(({ name }) => name)).toEqual(["write"]);
    expect(named.collisions).toEqual([{ name: "read", claimants: ["a/read", "b/read"] }]);
  });

  test("auto: only a name that two connectors offer gets a prefix", () => {
    const named = nameTools([partOf("a", "read", "write"), partOf("b", "read")], AUTO);
    expect(named.tools.map(({ name }) => name)).toEqual(["a__read", "b__read", "write"]);
    expect(named.collisions).toEqual([]);
  });

  test("auto: a prefixed name that a third connector's own name equals gets a digest; the third one keeps what it has", () => {
    const named = nameTools([partOf("a", "read"), partOf("b", "read"), partOf("c", "a__read")], AUTO);
    expect(named.tools.map(({ name, connector }) => [name, connector])).toEqual([
      ["a__read", "c"],
      ["a__read_d6b8dade", "a"],
      ["b__read", "b"],
    ]);
    expect(named.collisions).toEqual([]);
  });

  test("auto: a name that even the digest does not keep apart is refused to both", () => {
    const parts = [partOf("a", "read"), partOf("b", "read"), partOf("c", "a__read", "a__read_d6b8dade")];
    expect(nameTools(parts, AUTO)).toMatchObject({
      tools: [{ name: "a__read" }, { name: "b__read" }],
      collisions: [{ name: "a__read_d6b8dade", claimants: ["a/read", "c/a__read_d6b8dade"] }],
    });
  });

  test("auto: what collides with nothing keeps its name, whoever comes and goes beside it", () => {
    const offered = fc.uniqueArray(
      fc.record({
        key: fc.constantFrom("b", "c", "d", "a__b"),
        names: fc.uniqueArray(fc.constantFrom("x", "y", "a__x", "b__x", "c__a__x", "x y"), { maxLength: 5 }),
      }),
      { selector: ({ key }) => key },
    );
    fc.assert(
      fc.property(offered, (others) => {
        const parts = others.map(({ key, names }) => partOf(key, ...names));
        const { tools } = nameTools([partOf("a", "mine", "x"), ...parts], AUTO);
        expect(tools.find(({ name }) => name === "mine")?.connector).toBe("a");
        const sole = !others.some(({ names }) => names.includes("x"));
        const own = tools.find(({ connector, tool }) => connector === "a" && tool === "x");
        expect(own?.name === "x").toBe(sole);
        // Nobody comes by a name that another one has by itself.
        for (const { name, connector, tool } of tools) {
          const owners = others
            .filter(({ names }) => (names as readonly string[]).includes(name))
            .map(({ key }) => key);
          if (name !== tool) expect(owners).toEqual([]);
          else expect(owners).toEqual(connector === "a" ? [] : [connector]);
        }
      }),
    );
  });

  test("the separator is configurable", () => {
    expect(namesOf([partOf("a", "read")], { ...ALWAYS, separator: "." })).toEqual(["a.read"]);
  });

  test("a tool keeps its definition but for the name, unknown fields and order of fields included", () => {
    const definition = { title: "T", name: "read", "x-ours": { deep: [1] }, inputSchema: {} };
    const [tool] = nameTools([partOfTools("a", [definition])], ALWAYS).tools;
    expect(tool).toMatchObject({ name: "a__read", connector: "a", tool: "read" });
    expect(tool?.json).toBe('{"title":"T","name":"a__read","x-ours":{"deep":[1]},"inputSchema":{}}');
    expect(definition.name).toBe("read");
  });

  test("a tool keeps what its schema asks to mirror into headers; an annotation that breaks the rules counts as none", () => {
    const annotated = (name: string, property: JsonObject): JsonObject => ({
      name,
      inputSchema: { type: "object", properties: { region: property } },
    });
    const tools = [
      annotated("good", { type: "string", "x-mcp-header": "Region" }),
      annotated("bad", { type: "number", "x-mcp-header": "Region" }),
      annotated("word", { type: "string", default: { "x-mcp-header": "Region" } }),
      { name: "no-schema", "x-mcp-header": "Region" },
      toolOf("plain"),
    ];
    const named = nameTools([partOfTools("a", tools)], ALWAYS).tools;
    expect(named.map(({ tool, mirrored }) => [tool, mirrored])).toEqual([
      ["bad", undefined],
      ["good", [{ header: "mcp-param-region", path: ["region"] }]],
      ["no-schema", undefined],
      ["plain", undefined],
      ["word", undefined],
    ]);
    expect(named.filter((tool) => "mirrored" in tool)).toHaveLength(1);
  });

  test("a tool that a connector lists twice counts once, the first time", () => {
    const tools = [
      { name: "read", title: "first" },
      { name: "read", title: "second" },
    ];
    const named = nameTools([partOfTools("a", tools)], ALWAYS);
    expect(named.tools.map(({ definition }) => definition["title"])).toEqual(["first"]);
    expect(named.collisions).toEqual([]);
  });

  test("what has no name, an empty one or one that is no string is no tool", () => {
    const tools = [{}, { name: "" }, { name: 7 }, { name: null }, { name: "ok" }];
    expect(namesOf([partOfTools("a", tools)], ALWAYS)).toEqual(["a__ok"]);
  });

  test("names are sorted by code units, whatever the locale", () => {
    const names = ["z", "a", "B", "_", "A", "b"];
    expect(namesOf([partOf("k", ...names)], NEVER)).toEqual(["A", "B", "_", "a", "b", "z"]);
  });

  test("a connector called __proto__ is a connector like any other", () => {
    expect(namesOf([partOf("__proto__", "x", "__proto__"), partOf("a", "constructor")], AUTO)).toEqual([
      "__proto__",
      "constructor",
      "x",
    ]);
  });
});

describe("shadowing (reliability.md, threat 20)", () => {
  /** Pairs that meet in one public name: the key of one runs into the tool of the other. */
  const pairs = Array.from({ length: 200 }, (_, at) => {
    const middle = `m${at}${"__".repeat(at % 3)}x`;
    return [partOf("a", `${middle}__c`), partOf(`a__${middle}`, "c")] as const;
  });

  test("of 200 pairs such as a + b__c and a__b + c, none can be called: 0 shadowed", () => {
    let shadowed = 0;
    for (const [one, other] of pairs) {
      for (const parts of [
        [one, other],
        [other, one],
      ]) {
        const named = nameTools(parts, ALWAYS);
        expect(named.collisions).toHaveLength(1);
        expect(named.collisions[0]?.claimants).toHaveLength(2);
        shadowed += named.tools.length;
      }
    }
    expect(shadowed).toBe(0);
  });

  test("a third tool is untouched by the collision of two others", () => {
    const parts = [partOf("a", "b__c", "d"), partOf("a__b", "c")];
    expect(namesOf(parts, ALWAYS)).toEqual(["a__d"]);
  });

  test("a name leads to exactly one tool, or to none and a collision that names it: for any connectors and policies", () => {
    const toolName = fc.constantFrom("c", "b__c", "a__b__c", "x y", "x_y", "é", "_", "b", "c".repeat(60));
    const parts = fc.uniqueArray(
      fc.record({ key: fc.constantFrom("a", "a__b", "b", "A", "_"), names: fc.array(toolName, { maxLength: 5 }) }),
      { selector: ({ key }) => key, maxLength: 5 },
    );
    const policy = fc.record<NamePolicy>({
      separator: fc.constantFrom("__", ".", "_"),
      maxLength: fc.constantFrom(20, 50),
      prefix: fc.constantFrom("always", "auto", "never"),
    });
    fc.assert(
      fc.property(parts, policy, (given, names) => {
        const offered = given.map(({ key, names: tools }) => partOf(key, ...tools));
        const { tools, collisions } = nameTools(offered, names);
        const listed = tools.map(({ name }) => name);
        expect(new Set(listed).size).toBe(listed.length);
        for (const { name } of collisions) expect(listed).not.toContain(name);
        const accounted = [...tools.map((t) => `${t.connector}/${t.tool}`), ...collisions.flatMap((c) => c.claimants)];
        const all = given.flatMap(({ key, names: own }) => [...new Set(own)].map((tool) => `${key}/${tool}`));
        expect(accounted.toSorted()).toEqual(all.toSorted());
      }),
      { numRuns: 2_000 },
    );
  });
});
