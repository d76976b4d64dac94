// A process that changes the stored service maps, for tests that need several. It runs what the package ships: `dist`.
// Usage: storing-process.mjs count FILE TIMES: raises the floor by one each time, prints each floor once it is durable.
//        storing-process.mjs fill FILE: stores a map larger than the disk allows, and prints the error's code.
import { fileServiceMapStore } from "../../../../dist/connectors/map/service-map-store.js";

const [action, file, times] = process.argv.slice(2);
const silent = () => {};
const logger = { debug: silent, info: silent, warn: silent, error: silent };
const store = fileServiceMapStore({ file, logger, clock: Date });
const print = (line) => process.stdout.write(`${line}\n`);
if (action === "count") {
  for (let turn = 0; turn < Number(times); turn++) {
    const { floor } = await store.update((now) => {
      const generatedAtMs = (now?.floor?.generatedAtMs ?? 0) + 1;
      return { previous: [], savedAtMs: 0, floor: { id: "x", generatedAtMs, digest: "x" } };
    });
    print(floor.generatedAtMs);
  }
} else if (action === "fill") {
  const accepted = { body: "x".repeat(1_000_000), receivedAtMs: 0 };
  await store
    .update((now) => ({ previous: [], savedAtMs: 1, floor: now?.floor, accepted }))
    .then(
      () => print("stored"),
      (error) => print(`${error.code} ${error.message}`),
    );
} else {
  process.exitCode = 64;
}
