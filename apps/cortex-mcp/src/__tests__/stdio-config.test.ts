import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { statePaths } from "../state/state-paths.js";
import { fixture, stdioFixture } from "./serving.js";
import { startStdio } from "./stdio-run.js";
import { createTestIo, type TestIo } from "./test-io.js";

const text = (value: string): object => ({ result: { content: [{ type: "text", text: value }] } });
const echo = (message: string): object => ({ name: "fix__echo", arguments: { message } });

describe("R14: a relay that takes over when the configuration is not what it was when the relay started", () => {
  const configured = async (home: TestIo, content: string): Promise<void> =>
    writeFile(statePaths(home.env).config, content);
  const keyRing = async (home: TestIo, name: string): Promise<string> => {
    const file = path.join(home.home, name);
    await writeFile(file, JSON.stringify({ keys: [{ kty: "oct", alg: "HS256", k: "c2VjcmV0".repeat(6) }] }));
    return JSON.stringify({ serviceMap: { url: "http://127.0.0.1:1/map", keysFile: file } });
  };

  test("begins with the one of today", async () => {
    const home = await createTestIo();
    await home.run(...stdioFixture("fix"));
    await configured(home, await keyRing(home, "old.json"));
    const gateway = await startStdio(home);
    await gateway.initialize();
    const relay = await startStdio(home);
    await relay.initialize();
    await configured(home, await keyRing(home, "new.json"));
    await rm(path.join(home.home, "old.json"));
    gateway.io.signal("SIGTERM");
    await gateway.ended;
    relay.request(1, "tools/call", echo("still there"));
    expect(await relay.answer(1)).toMatchObject(text("still there"));
  });

  test("begins with what it was when that is refused, and says so", async () => {
    const home = await createTestIo();
    await home.run(...stdioFixture("fix"));
    const gateway = await startStdio(home);
    await gateway.initialize();
    const relay = await startStdio(home);
    await relay.initialize();
    await configured(home, "{");
    gateway.io.signal("SIGTERM");
    await gateway.ended;
    relay.request(1, "tools/call", echo("still there"));
    expect(await relay.answer(1)).toMatchObject(text("still there"));
    expect((await home.run("status")).out).toContain("the configuration is refused");
  });
});

describe("R14: a relay that starts while the configuration is refused", () => {
  test("a configuration that is refused is no reason for a relay, which says so and goes on; the gateway has its own", async () => {
    const home = await createTestIo();
    const server = await fixture();
    await home.run("add", "fix", server.url);
    const gateway = await startStdio(home);
    await gateway.initialize();
    await writeFile(statePaths(home.env).config, "{");
    const relay = await startStdio(home);
    await relay.initialize();
    relay.request(1, "tools/call", echo("relayed"));
    expect(await relay.answer(1)).toMatchObject(text("relayed"));
    expect(relay.io.errLines.map((line) => JSON.parse(line) as object)).toMatchObject([
      {
        level: "warn",
        msg: "The configuration is refused; relaying with the defaults",
        reason: expect.stringContaining("config.json is not JSON"),
      },
    ]);
    gateway.io.signal("SIGTERM");
    await gateway.ended;
    expect(await relay.ended).toMatchObject({ code: 1, err: expect.stringContaining("config.json is not JSON") });
  });

  test("nor is it one when it was mended before that relay had to become the gateway", async () => {
    const home = await createTestIo();
    await home.run(...stdioFixture("fix"));
    const gateway = await startStdio(home);
    await gateway.initialize();
    await writeFile(statePaths(home.env).config, "{");
    const relay = await startStdio(home);
    await relay.initialize();
    await writeFile(statePaths(home.env).config, "{}");
    gateway.io.signal("SIGTERM");
    await gateway.ended;
    relay.request(1, "tools/call", echo("still there"));
    expect(await relay.answer(1)).toMatchObject(text("still there"));
  });
});
