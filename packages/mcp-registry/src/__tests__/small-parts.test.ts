import { writeFileSync } from "node:fs";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { lookOf } from "../file-look.js";
import { nodeFs } from "../fs/node-fs.js";
import { isCount } from "../is-count.js";
import { Listeners } from "../listeners.js";
import { OpenFile } from "../open-file.js";
import { SharedPass } from "../shared-pass.js";
import { RuledFs } from "./fs-fixture.js";
import { useTempFolder } from "./temp-folder.js";

const folder = useTempFolder();

/** A promise with what settles it. */
function deferred(): { promise: Promise<void>; resolve: () => void; reject: (error: Error) => void } {
  let settle: { resolve: () => void; reject: (error: Error) => void } | undefined;
  const promise = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject };
  });
  if (settle === undefined) throw new Error("a promise that did not begin");
  return { promise, ...settle };
}

describe("SharedPass", () => {
  test("all that ask before a pass begins share it; one who asks while it runs has the next", async () => {
    const passes: ReturnType<typeof deferred>[] = [];
    const shared = new SharedPass(() => {
      const pass = deferred();
      passes.push(pass);
      return pass.promise;
    });
    const first = [shared.run(), shared.run()];
    expect(first[0]).toBe(first[1]);
    await Promise.resolve();
    const second = shared.run();
    expect(second).not.toBe(first[0]);
    expect(passes).toHaveLength(1);
    passes[0]?.resolve();
    await Promise.all(first);
    await vi.waitFor(() => expect(passes).toHaveLength(2));
    passes[1]?.resolve();
    await second;
  });

  test("one that fails is told to those who share it, and does not keep the next from running", async () => {
    let runs = 0;
    const shared = new SharedPass(async () => {
      if (runs++ === 0) throw new Error("first");
    });
    await expect(Promise.all([shared.run(), shared.run()])).rejects.toThrow("first");
    await shared.run();
    expect(runs).toBe(2);
  });

  test("between runs something else when no pass does, whatever becomes of it", async () => {
    const pass = deferred();
    const order: string[] = [];
    const shared = new SharedPass(async () => {
      order.push("pass");
      await pass.promise;
      order.push("passed");
    });
    const running = shared.run();
    await Promise.resolve();
    const between = shared.between(async () => {
      order.push("between");
      throw new Error("between");
    });
    const next = shared.run();
    pass.resolve();
    await running;
    await expect(between).rejects.toThrow("between");
    await next;
    expect(order).toEqual(["pass", "passed", "between", "pass", "passed"]);
  });
});

describe("Listeners", () => {
  test("are told once for all of a turn, after it, in their order; each addition counts", async () => {
    const heard: string[] = [];
    const listeners = new Listeners(() => {});
    const same = (): void => {
      heard.push("same");
    };
    const endFirst = listeners.add(same);
    listeners.add(same);
    listeners.add(() => heard.push("last"));
    listeners.tell();
    listeners.tell();
    expect(heard).toEqual([]);
    await Promise.resolve();
    expect(heard).toEqual(["same", "same", "last"]);
    endFirst();
    endFirst();
    listeners.tell();
    await Promise.resolve();
    expect(heard.slice(3)).toEqual(["same", "last"]);
  });

  test("one that ended before it was told is not, one that fails harms no other, one may tell again", async () => {
    const errors: unknown[] = [];
    const heard: string[] = [];
    const listeners = new Listeners((error) => errors.push(error));
    const end = listeners.add(() => heard.push("ended"));
    listeners.add(() => {
      throw new Error("bad");
    });
    listeners.add(() => {
      if (heard.push("told") < 2) listeners.tell();
    });
    listeners.tell();
    end();
    await Promise.resolve();
    await Promise.resolve();
    expect(heard).toEqual(["told", "told"]);
    expect(errors).toMatchObject([{ message: "bad" }, { message: "bad" }]);
  });
});

describe("OpenFile", () => {
  let fs: RuledFs;
  beforeEach(() => {
    fs = new RuledFs();
    writeFileSync(folder.at("f"), "x");
  });

  test("stays open until nobody uses it, and is closed once", async () => {
    const file = new OpenFile(fs, fs.open(folder.at("f"), "read"));
    const [one, two] = [deferred(), deferred()];
    const using = [file.during(async () => one.promise), file.during(async () => two.promise)];
    file.release();
    file.release();
    one.resolve();
    await using[0];
    expect(fs.count("close", /./)).toBe(0);
    two.reject(new Error("work"));
    await expect(using[1]).rejects.toThrow("work");
    expect(fs.count("close", /./)).toBe(1);
    file.release();
    expect(fs.count("close", /./)).toBe(1);
  });

  test("one that is not released is not closed; that it cannot be closed harms nobody", async () => {
    const file = new OpenFile(fs, fs.open(folder.at("f"), "read"));
    expect(file.identity).toBe(nodeFs.stat(folder.at("f")).identity);
    expect(await file.during(async (fd) => fd)).toBe(file.fd);
    fs.before("close", /./, () => nodeFs.close(file.fd), 1);
    file.release();
  });
});

test("lookOf: a file that is written looks different, one that is not there like no other", () => {
  writeFileSync(folder.at("f"), "x");
  const look = lookOf(nodeFs.stat(folder.at("f")));
  writeFileSync(folder.at("f"), "xy");
  expect(new Set([look, lookOf(nodeFs.stat(folder.at("f"))), lookOf(undefined)]).size).toBe(3);
});

test.each([
  [0, true],
  [Number.MAX_SAFE_INTEGER, true],
  [-1, false],
  [1.5, false],
  [2 ** 53, false],
  ["1", false],
  [undefined, false],
])("isCount(%s) is %s", (value, expected) => {
  expect(isCount(value)).toBe(expected);
});

test("nodeFs tells what something is, without following a link", () => {
  nodeFs.makeFolder(folder.at("d"));
  nodeFs.symlink("nowhere", folder.at("l"));
  writeFileSync(folder.at("f"), "x");
  const kinds = ["d", "l", "f"].map((name) => nodeFs.stat(folder.at(name)).kind);
  expect([...kinds, nodeFs.stat("/dev/null").kind]).toEqual(["folder", "link", "file", "other"]);
  expect(nodeFs.readlink(folder.at("l"))).toBe("nowhere");
  expect(() => nodeFs.open(folder.at("l"), "read")).toThrow(expect.objectContaining({ code: "ELOOP" }) as Error);
  expect(() => nodeFs.open(folder.at("f"), "create")).toThrow(expect.objectContaining({ code: "EEXIST" }) as Error);
});
