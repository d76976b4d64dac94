import { mkdir, readFile, unlink, writeFile } from "node:fs/promises";
import { unlinkSync } from "node:fs";
import path from "node:path";
import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test } from "vitest";
import { namesOf, server, useCacheFixture } from "./cache-fixture.js";
import { RuledFs } from "./fs-fixture.js";
import { adding, journalFile } from "./recovery-fixture.js";

const registry = useCacheFixture();
const log = (): string => `${registry.file}.log`;

/** What somebody does who takes the lock from one that stands still in its section (`unjudgedStaleMs`). */
const robbing = (act: () => void) => (): void => {
  unlinkSync(`${registry.file}.lock`);
  act();
};

/** An instance that is open and does what others see as of another process. */
const openedApart = () => registry.opened({ fs: new RuledFs(), timers: new ManualTime(), flushIntervalMs: Infinity });

describe("a holder that stood still, was robbed of the lock and goes on in the middle of its section (R11)", () => {
  test("puts no first journal in the place of the one that was begun meanwhile", async () => {
    const [cache, other] = [await registry.opened(), await openedApart()];
    const write = robbing(() => {
      other.upsert(server("theirs"));
    });
    registry.fs.before("link", /^servers\.json\.log$/, write, 1);
    expect(() => {
      cache.upsert(server("ours"));
    }).toThrow(expect.objectContaining({ code: "REGISTRY_IO" }));
    cache.upsert(server("again"));
    expect(namesOf(cache)).toEqual(["theirs", "again"]);
    await Promise.all([cache.close(), other.close()]);
    expect(await registry.namesAfterReopening()).toEqual(["theirs", "again"]);
  });

  test("cuts nothing off that was added meanwhile", async () => {
    await mkdir(path.dirname(registry.file));
    await writeFile(log(), journalFile([adding("a")]));
    const [cache, other] = [await registry.opened(), await openedApart()];
    await writeFile(log(), Buffer.concat([await readFile(log()), Buffer.from("half")]));
    const write = robbing(() => {
      other.upsert(server("theirs"));
    });
    let openings = 0;
    registry.fs.before("open", /^servers\.json\.log$/, () => {
      // The first is to read.
      if (++openings === 2) write();
    });
    expect(() => {
      cache.upsert(server("ours"));
    }).toThrow("another process has changed it at the same time: try again");
    cache.upsert(server("again"));
    expect(namesOf(cache)).toEqual(["a", "theirs", "again"]);
    await Promise.all([cache.close(), other.close()]);
    expect(await registry.namesAfterReopening()).toEqual(["a", "theirs", "again"]);
  });

  test("takes no change of others back when it cannot write its own", async () => {
    const [cache, other] = [await registry.opened(), await openedApart()];
    cache.upsert(server("a"));
    const write = robbing(() => {
      other.upsert(server("theirs"));
    });
    registry.fs.before("write", /^servers\.json\.log/, write, 1);
    registry.fs.refuse("write", /^servers\.json\.log/, "ENOSPC", 1);
    expect(() => {
      cache.upsert(server("ours"));
    }).toThrow("no space left");
    await Promise.all([cache.close(), other.close()]);
    expect(await registry.namesAfterReopening()).toEqual(["a", "theirs"]);
  });

  test("two changes of one number in two journals are both made, and told of", async () => {
    await mkdir(path.dirname(registry.file));
    await writeFile(`${log()}.1`, journalFile([adding("a"), adding("theirs")]));
    await writeFile(log(), journalFile([adding("ours"), adding("c")], { epoch: 2, base: 1 }));
    const cache = await registry.opened();
    expect(namesOf(cache)).toEqual(["a", "theirs", "ours", "c"]);
    expect(cache.problems.join()).toContain("written by two processes at once");
    await cache.close();
    await unlink(log());
  });
});
