// A process (or a thread of one) with sections, for tests that need several. It runs what the package ships: `dist`.
// Usage: section-process.mjs count LOCK FILE TIMES sync|async: adds 1 to the number in FILE, in sections that notice when they overlap.
//        section-process.mjs stay LOCK: enters a section, prints `inside` and stays in it.
// As a thread, with `{ lock, signal }` as its data: enters a section, sets the first number of `signal` and stays until the second is set.
import { closeSync, openSync, readFileSync, unlinkSync, writeFileSync, writeSync } from "node:fs";
import { workerData } from "node:worker_threads";
import { SectionLock } from "../../dist/section-lock.js";

const [action, path, file, times, kind] = process.argv.slice(2);
if (workerData?.lock !== undefined) {
  const { lock, signal } = workerData;
  new SectionLock(lock).runSync(() => {
    Atomics.store(signal, 0, 1);
    Atomics.notify(signal, 0);
    Atomics.wait(signal, 1, 0);
  });
} else if (action === "count") {
  const lock = new SectionLock(path, { blockMs: 60_000, waitMs: 60_000 });
  const add = () => {
    closeSync(openSync(`${file}.inside`, "wx"));
    writeFileSync(file, `${Number(readFileSync(file, "utf8")) + 1}`);
    unlinkSync(`${file}.inside`);
  };
  for (let done = 0; done < Number(times); done++) {
    if (kind === "sync") lock.runSync(add);
    else await lock.run(add);
  }
} else if (action === "stay") {
  new SectionLock(path).runSync(() => {
    writeSync(1, "inside\n");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
} else {
  process.exitCode = 64;
}
