import { appendFileSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { acquireLock } from "../lock.js";
import { verifyRegistry } from "../verify-registry.js";
import { server, useCacheFixture } from "./cache-fixture.js";
import { RuledFs } from "./fs-fixture.js";
import { adding, frames, journalFile, looseFile, newerFile, sealedFile, START_MS, stdio } from "./recovery-fixture.js";

const registry = useCacheFixture();
const put = (end: string, bytes: Buffer | string): void => {
  writeFileSync(`${registry.file}${end}`, bytes);
};

describe("verifyRegistry (R14)", () => {
  test("a registry that is not there has no files and no servers, and none is made", async () => {
    expect(verifyRegistry(registry.file)).toEqual({
      servers: [],
      files: [],
      findings: [],
      changes: 0,
      sinceMs: undefined,
    });
    expect(await readdir(registry.folder.at())).toEqual([]);
  });

  test("tells the files, their state, and how far the past reaches, while a gateway is at work", async () => {
    const cache = await registry.opened({ journalLimitBytes: 0 });
    for (const name of ["a", "b"]) {
      cache.upsert(server(name));
      await cache.flush();
      await registry.time.advance(1_000);
    }
    cache.upsert(server("c"));
    const lock = await acquireLock(`${registry.file}.lock`);
    const fs = new RuledFs();
    for (const call of ["write", "rename", "unlink", "link", "symlink", "truncate", "restrict", "makeFolder"] as const)
      fs.refuse(call, /./, "EROFS");
    expect(verifyRegistry(registry.file, fs)).toEqual({
      servers: [server("a"), server("b"), server("c")],
      files: [
        { name: "servers.json", state: "whole" },
        { name: "servers.json.prev", state: "whole" },
        { name: "servers.json.log", state: "whole" },
        { name: "servers.json.log.1", state: "whole" },
      ],
      findings: [],
      changes: 3,
      sinceMs: START_MS,
    });
    await lock.release();
    await cache.close();
  });

  test("tells what is unsealed, torn or damaged, and changes nothing of it", async () => {
    await registry.writeServers({});
    put("", looseFile({ servers: [stdio("a"), { name: "b" }] }));
    put(".prev", "{");
    put(".log", Buffer.concat([journalFile([adding("a")]), Buffer.from("torn")]));
    put(".log.1", Buffer.concat([Buffer.from("rubbish"), ...frames([adding("a"), { durable: 100 }])]));
    const verdict = verifyRegistry(registry.file);
    expect(verdict.files).toEqual([
      { name: "servers.json", state: "unsealed" },
      { name: "servers.json.prev", state: "damaged" },
      { name: "servers.json.log", state: "torn" },
      { name: "servers.json.log.1", state: "damaged" },
    ]);
    expect(verdict.findings.map(({ level, text }) => `${level}: ${text}`)).toEqual([
      "warning: servers.json was changed by hand: taken as it is. cortex-mcp registry undo takes that back",
      "info: the last change in servers.json.log was cut short before it was acknowledged: it was dropped",
      "error: servers.json.log.1 is damaged: every change that can still be read was kept",
      expect.stringMatching(/^warning: servers\[1\] \("b"\) is not served: /),
    ]);
    expect(await registry.files()).toHaveLength(4);
  });

  test("a journal of another registry counts for nothing", async () => {
    await registry.writeServers({});
    put("", sealedFile({ servers: [stdio("a")] }, { seq: 1 }));
    put(".log", journalFile([adding("a")]));
    put(".log.1", journalFile([adding("x"), adding("y")], { id: "f".repeat(16) }));
    expect(verifyRegistry(registry.file)).toMatchObject({ servers: [stdio("a")], changes: 1 });
  });

  test("what a newer program wrote is refused", async () => {
    await registry.writeServers({});
    put("", newerFile(7));
    expect(() => verifyRegistry(registry.file)).toThrow(/has version 7 of its form: use a newer cortex-mcp/);
  });

  test("files that are replaced while they are read are read again", async () => {
    const cache = await registry.opened({ journalLimitBytes: 0 });
    cache.upsert(server("a"));
    await cache.flush();
    const fs = new RuledFs();
    let replaced = 0;
    fs.before("open", /^servers\.json$/, () => {
      if (replaced++ > 0) return;
      writeFileSync(`${registry.file}.log.tmp`, journalFile([adding("x"), adding("b")]));
      fs.rename(`${registry.file}.log.tmp`, `${registry.file}.log`);
    });
    verifyRegistry(registry.file, fs);
    expect(replaced).toBe(2);
    appendFileSync(`${registry.file}.log`, "");
    await cache.close();
  });

  test("and not for ever", async () => {
    await registry.writeServers({});
    put(".log", journalFile([adding("a")]));
    const fs = new RuledFs();
    fs.before("open", /^servers\.json$/, () => {
      writeFileSync(`${registry.file}.log.new`, journalFile([adding("a")]));
      fs.rename(`${registry.file}.log.new`, `${registry.file}.log`);
    });
    expect(verifyRegistry(registry.file, fs).servers).toEqual([stdio("a")]);
    expect(fs.count("open", /^servers\.json$/)).toBe(10);
  });
});
