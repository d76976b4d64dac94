import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test, vi } from "vitest";
import { CANARY_KEY, connector, publishing } from "./publishing.js";
import { fixture, servingHomeOf, untilState } from "./serving.js";
import { createTestIo, type TestIo } from "./test-io.js";

const WAIT = { timeout: 20_000, interval: 50 };

async function configure(io: TestIo, config: unknown): Promise<void> {
  await mkdir(path.join(io.home, "mcp"), { recursive: true });
  const text = typeof config === "string" ? config : JSON.stringify(config);
  await writeFile(path.join(io.home, "mcp", "config.json"), text);
}

async function toolNames(io: TestIo): Promise<string[]> {
  const { out } = await io.run("tools", "--json");
  return (JSON.parse(out) as { name: string }[]).map(({ name }) => name);
}

const problemsOf = async (io: TestIo): Promise<unknown> =>
  (JSON.parse((await io.run("status", "--json")).out) as { problems: unknown }).problems;

describe("config.json of a running gateway (issue 4, hot reload)", () => {
  test("a change takes effect without a restart; one that is refused changes nothing, and status shows it", async () => {
    const io = await createTestIo();
    const server = await fixture();
    await io.run("add", "fix", server.url);
    const { io: gateway } = await servingHomeOf(io);
    await untilState(io, "fix", "up");
    await configure(io, { names: { separator: "." }, log: { level: "warn" } });
    await vi.waitFor(async () => expect(await toolNames(io)).toContain("fix.echo"), WAIT);
    expect(await toolNames(io)).not.toContain("fix__echo");
    expect((await io.run("call", "fix.echo", '{"message":"hi"}')).out).toBe("hi");

    await configure(io, { names: { prefix: "sometimes" } });
    await vi.waitFor(async () => expect(await problemsOf(io)).toHaveLength(1), WAIT);
    const reason = "config.json: names.prefix must be one of always, auto, never";
    expect((await io.run("status")).out).toMatch(new RegExp(`^Problem: the configuration is refused.+${reason}$`, "m"));
    expect(await toolNames(io)).toContain("fix.echo");
    expect(gateway.errLines.join("\n")).toContain(reason);
    const refused = await io.run("reload");
    expect([refused.code, refused.out]).toEqual([1, ""]);
    expect(refused.err).toMatch(new RegExp(`^cortex-mcp: .+${reason}$`));
    const json = await io.run("reload", "--json");
    expect(JSON.parse(json.out)).toMatchObject({ error: { code: "USER_INPUT" } });

    await configure(io, {});
    await vi.waitFor(async () => expect(await toolNames(io)).toContain("fix__echo"), WAIT);
    expect(await problemsOf(io)).toEqual([]);
  });

  test("a service map that is configured, changed or taken away comes and goes, and the registry's connectors stay", async () => {
    const [own, mapped] = [await fixture(), await fixture()];
    const map = await publishing([connector("docs", mapped.url)]);
    const io = await createTestIo({ env: { CONNECTORS_SIGNATURE_KEY: CANARY_KEY } });
    await io.run("add", "own", own.url);
    await servingHomeOf(io);
    await untilState(io, "own", "up");
    const connectsBefore = own.requests.method("server/discover");
    await configure(io, { serviceMap: { url: map.url } });
    await untilState(io, "docs", "up");
    expect((await io.run("call", "docs__echo", '{"message":"hi"}')).out).toBe("hi");
    const mappedBefore = mapped.requests.method("server/discover");

    await configure(io, { serviceMap: { url: map.url, maxStaleMs: 1_000_000 } });
    const changed = await io.run("reload", "--json");
    expect(JSON.parse(changed.out)).toMatchObject({
      connectors: { added: [], removed: [], changed: [], unchanged: ["docs", "own"] },
    });
    expect((await io.run("map", "refresh")).out).toContain("Unchanged: ");

    await configure(io, {});
    await vi.waitFor(async () => expect((await io.run("list")).out).not.toContain("docs"), WAIT);
    expect((await io.run("status")).out).not.toContain("Service map");
    expect(own.requests.method("server/discover")).toBe(connectsBefore);
    expect(mapped.requests.method("server/discover")).toBe(mappedBefore);
  });
});

describe("reload", () => {
  test("tells what it changed, for people and as JSON", async () => {
    const io = await createTestIo();
    const server = await fixture();
    await io.run("add", "fix", server.url);
    await servingHomeOf(io);
    await untilState(io, "fix", "up");
    const quiet = await io.run("reload");
    expect(quiet).toEqual({
      code: 0,
      out: expect.stringMatching(
        /^Configuration: unchanged\.\nConnectors: 1 connector unchanged\.\nTools: \d+, as before\.$/,
      ),
      err: "",
    });
    await configure(io, { drainMs: 1_000 });
    const { out } = await io.run("reload");
    expect(out.split("\n").slice(0, 2)).toEqual([
      "Configuration: unchanged.",
      "Needs a restart to take effect: drainMs.",
    ]);
    const json = JSON.parse((await io.run("reload", "--json")).out) as Record<string, unknown>;
    expect(json).toMatchObject({
      configuration: { changed: [], needRestart: ["drainMs"] },
      connectors: { unchanged: ["fix"] },
      problems: [],
    });
  });

  test("without a gateway that runs it says so in one line", async () => {
    const io = await createTestIo();
    const { code, out, err } = await io.run("reload");
    expect([code, out]).toEqual([1, ""]);
    expect(err).toMatch(/^cortex-mcp: no gateway is running for .+; cortex-mcp serve starts one$/);
  });
});
