import { DEFAULT_NAME_POLICY, type NamePolicy } from "@cortex-os/mcp-core";
import { RecordingLogger } from "@cortex-os/mcp-core/testing";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { describe, expect, test } from "vitest";
import { settle, toolOf } from "../../__tests__/support/test-upstreams.js";
import type { CatalogPart } from "../../catalog/catalog-part.js";
import { ToolRegistrar, type RegistrableTool, type ToolRegistry } from "../tool-registrar.js";

/** A registry that keeps what it was told, in order. */
class TestRegistry implements ToolRegistry {
  readonly log: string[] = [];
  readonly tools = new Map<string, RegistrableTool>();
  /** Thrown, or what `registerTool` answers. */
  answer: (tool: RegistrableTool) => unknown = () => undefined;
  unregisterTool?: (name: string) => unknown = (name) => {
    this.log.push(`- ${name}`);
    this.tools.delete(name);
  };

  registerTool(tool: RegistrableTool): unknown {
    this.log.push(`+ ${tool.name}`);
    const answer = this.answer(tool);
    this.tools.set(tool.name, tool);
    return answer;
  }

  get(name: string): RegistrableTool {
    const tool = this.tools.get(name);
    if (tool === undefined) throw new Error(`${name} is not registered`);
    return tool;
  }
}

function setUp(names: Partial<NamePolicy> = {}) {
  const registry = new TestRegistry();
  const logger = new RecordingLogger();
  const calls: unknown[] = [];
  const registrar = new ToolRegistrar({
    registry,
    names: { ...DEFAULT_NAME_POLICY, ...names },
    logger,
    call: async ({ connector, tool }, args, options) => {
      calls.push([connector, tool, args, options]);
      return Promise.resolve({ content: [] });
    },
  });
  return { registry, logger, calls, registrar };
}

const part = (key: string, ...tools: JsonObject[]): CatalogPart => ({ key, lists: { tools: { entries: tools } } });

describe("R6: registering tools", () => {
  test("a tool gets its public name, all of its definition, a handler and what it stands for", async () => {
    const { registry, registrar, calls } = setUp();
    const definition = {
      name: "say it",
      title: "Say",
      description: "Says it",
      inputSchema: { type: "object", required: ["what"] },
      outputSchema: { type: "object" },
      annotations: { readOnlyHint: true },
      "x-own": 1,
    };
    registrar.apply([part("a", definition)]);
    const [[name, tool] = []] = [...registry.tools];
    expect(name).toMatch(/^a__say_it_[0-9a-f]{8}$/);
    expect(tool).toEqual({
      ...definition,
      name,
      handler: expect.any(Function),
      metadata: { brand: "brAInwav", connectorId: "a", tool: "say it" },
    });
    const { signal } = new AbortController();
    expect(await tool?.handler({ what: "x" }, { signal })).toEqual({ content: [] });
    await tool?.handler();
    expect(calls).toEqual([
      ["a", "say it", { what: "x" }, { signal }],
      ["a", "say it", {}, {}],
    ]);
  });

  test("a tool without a schema takes any object", () => {
    const { registry, registrar } = setUp();
    registrar.apply([part("a", { name: "t" })]);
    expect(registry.get("a__t").inputSchema).toEqual({ type: "object" });
  });

  test("each is registered once, however often it is offered, also twice by one connector", () => {
    const { registry, registrar } = setUp();
    for (let times = 0; times < 3; times += 1) registrar.apply([part("a", toolOf("t"), toolOf("t")), part("b")]);
    expect(registry.log).toEqual(["+ a__t"]);
  });

  test("what went is withdrawn, what changed is registered anew, the rest is left alone", () => {
    const { registry, registrar } = setUp();
    registrar.apply([part("a", toolOf("gone"), toolOf("same"), toolOf("changed"))]);
    registry.log.length = 0;
    registrar.apply([part("a", toolOf("same"), { ...toolOf("changed"), description: "new" })]);
    expect(registry.log).toEqual(["- a__gone", "- a__changed", "+ a__changed"]);
    expect(registry.get("a__changed").description).toBe("new");
  });

  test("a name that two connectors claim is refused to both, and logged once", () => {
    const { registry, registrar, logger } = setUp({ prefix: "never" });
    const parts = [part("a", toolOf("t"), toolOf("own")), part("b", toolOf("t"))];
    registrar.apply(parts);
    registrar.apply(parts);
    expect(registry.log).toEqual(["+ own"]);
    expect(logger.lines).toEqual([
      {
        level: "warn",
        fields: { name: "t", claimants: ["a/t", "b/t"] },
        message: "Tool name claimed more than once: all of them are refused",
      },
    ]);
    registrar.apply([parts[0] ?? part("a")]);
    registrar.apply(parts);
    expect(registry.log).toEqual(["+ own", "+ t", "- t"]);
    expect(logger.lines).toHaveLength(2);
  });

  test("a name that passes from one connector to another is registered anew for the other", async () => {
    const { registry, registrar, calls } = setUp({ prefix: "never" });
    registrar.apply([part("a", toolOf("t"))]);
    registrar.apply([part("b", toolOf("t"))]);
    expect(registry.log).toEqual(["+ t", "- t", "+ t"]);
    expect(registry.get("t").metadata.connectorId).toBe("b");
    await registry.get("t").handler({});
    expect(calls).toEqual([["b", "t", {}, {}]]);
  });
});

describe("R6: a registry without unregisterTool", () => {
  test("keeps a withdrawn tool, whose handler says that it is gone; it works again when the tool comes back as it was", async () => {
    const { registry, registrar, calls } = setUp();
    delete registry.unregisterTool;
    registrar.apply([part("a", toolOf("t"))]);
    const { handler } = registry.get("a__t");
    registrar.apply([]);
    await expect(handler({})).rejects.toMatchObject({
      code: "UPSTREAM_UNAVAILABLE",
      message: expect.stringContaining('Tool "a__t" is not available'),
    });
    registrar.apply([part("a", toolOf("t"))]);
    await handler({});
    expect(calls).toHaveLength(1);
    expect(registry.log).toEqual(["+ a__t"]);
    registrar.apply([part("a", { ...toolOf("t"), description: "new" })]);
    expect(registry.log).toEqual(["+ a__t", "+ a__t"]);
  });
});

describe("R6: a registry that fails", () => {
  test("by throwing costs that tool and no other, is logged, and is offered the tool again", () => {
    const { registry, registrar, logger } = setUp();
    const failure = new Error("no room");
    registry.answer = ({ name }) => {
      if (name === "a__bad") throw failure;
    };
    registrar.apply([part("a", toolOf("bad"), toolOf("good"))]);
    expect([...registry.tools.keys()]).toEqual(["a__good"]);
    expect(logger.lines).toEqual([
      {
        level: "warn",
        fields: { connectorId: "a", tool: "a__bad", err: failure },
        message: "Tool could not be registered",
      },
    ]);
    registry.answer = () => undefined;
    registrar.forgive();
    registrar.offer();
    expect(registry.log).toEqual(["+ a__bad", "+ a__good", "+ a__bad"]);
    registrar.forgive();
    registrar.offer();
    expect(registry.log).toHaveLength(3);
  });

  test("is not offered the tool again with every change of something else, but when the tool changed, or came back", () => {
    const { registry, registrar } = setUp();
    registry.answer = () => {
      throw new Error("no room");
    };
    const offered = (...parts: CatalogPart[]): number => {
      registrar.apply(parts);
      return registry.log.filter((line) => line === "+ a__t").length;
    };
    const t = part("a", toolOf("t"));
    expect([offered(t), offered(t, part("b")), offered(t)]).toEqual([1, 1, 1]);
    expect(offered(part("a", { ...toolOf("t"), title: "T" }))).toBe(2);
    expect([offered(), offered(part("a", { ...toolOf("t"), title: "T" }))]).toEqual([2, 3]);
  });

  test("by rejecting does the same", async () => {
    const { registry, registrar, logger } = setUp();
    registry.answer = async () => Promise.reject(new Error("no room"));
    const apply = async (): Promise<void> => {
      registrar.apply([part("a", toolOf("t"))]);
      await registrar.whenDone();
    };
    await apply();
    await apply();
    expect(logger.messages("warn")).toEqual(["Tool could not be registered"]);
    registrar.forgive();
    await apply();
    expect(registry.log).toEqual(["+ a__t", "+ a__t"]);
  });

  test("to withdraw is logged, and the new version is registered all the same", () => {
    const { registry, registrar, logger } = setUp();
    registry.unregisterTool = () => {
      throw new Error("not found");
    };
    registrar.apply([part("a", toolOf("t"))]);
    registrar.apply([part("a", { ...toolOf("t"), title: "T" })]);
    expect(registry.log).toEqual(["+ a__t", "+ a__t"]);
    expect(logger.lines).toMatchObject([
      { fields: { tool: "a__t", err: { message: "not found" } }, message: "Tool could not be unregistered" },
    ]);
  });
});

describe("R6: a registry that answers with promises", () => {
  test("is known when it asks while it deals with a tool, however deep, and not afterwards", async () => {
    const { registry, registrar } = setUp();
    const asked: boolean[] = [];
    const ask = (): void => void asked.push(registrar.isAskedByRegistry);
    let later = async (): Promise<void> => Promise.resolve();
    registry.answer = async () => {
      ask();
      await settle();
      ask();
      const done = registrar.whenDone();
      later = async () => {
        await done;
        await settle();
        ask();
      };
    };
    let pending: Promise<void> = Promise.resolve();
    registrar.apply([part("a", toolOf("t"))]);
    pending = registrar.whenDone();
    ask();
    await pending;
    await later();
    expect(asked).toEqual([true, false, true, false]);
  });

  test("has done with a name before it is asked about it again; other names do not wait", async () => {
    const { registry, registrar } = setUp();
    const log: string[] = [];
    let release = (): void => {};
    registry.unregisterTool = async (name) => {
      log.push(`- ${name}`);
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      log.push(`gone ${name}`);
    };
    registry.answer = ({ name }) => log.push(`+ ${name}`);
    registrar.apply([part("a", toolOf("t"))]);
    registrar.apply([part("a", { ...toolOf("t"), title: "T" }, toolOf("u"))]);
    expect(log).toEqual(["+ a__t", "- a__t", "+ a__u"]);
    let done = false;
    void registrar.whenDone().then(() => {
      done = true;
    });
    await settle();
    expect(done).toBe(false);
    release();
    await settle();
    expect([log.slice(3), done]).toEqual([["gone a__t", "+ a__t"], true]);
  });

  test("one that leads back here while it registers: the newest word holds", () => {
    const { registry, registrar } = setUp();
    registry.answer = () => {
      registry.answer = () => undefined;
      registrar.apply([]);
    };
    registrar.apply([part("a", toolOf("t"), toolOf("u"))]);
    expect(registry.log).toEqual(["+ a__t", "- a__t"]);
  });

  test("one that leads back here while it withdraws: the newest word holds", () => {
    const { registry, registrar } = setUp();
    registrar.apply([part("a", toolOf("t"))]);
    const { unregisterTool = () => {} } = registry;
    registry.unregisterTool = (name) => {
      unregisterTool(name);
      registry.unregisterTool = unregisterTool;
      registrar.apply([]);
    };
    registrar.apply([part("a", { ...toolOf("t"), title: "T" })]);
    expect([registry.log, registry.tools.size]).toEqual([["+ a__t", "- a__t"], 0]);
  });
});
