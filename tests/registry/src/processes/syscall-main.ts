import { once } from "node:events";
import { writeSync } from "node:fs";
import { serverOf } from "../content.js";
import { targetAt } from "../target.js";

// A process that makes a few changes of every kind once a line comes in on stdin, and says `+` for each that was acknowledged, after it was.

const STDOUT = 1;
const JOURNAL_LIMIT_BYTES = 600;

const [entry = "", home = ""] = process.argv.slice(2);
const { RegistryMemoryCache, registryPath } = (await targetAt(entry)).registry;
writeSync(STDOUT, "ready\n");
await once(process.stdin, "data");
const cache = new RegistryMemoryCache({
  registryPath: registryPath({ CORTEX_HOME: home }),
  flushIntervalMs: Infinity,
  journalLimitBytes: JOURNAL_LIMIT_BYTES,
});
await cache.init();
for (let change = 0; change < 8; change++) {
  cache.upsert(serverOf(`s${change}`, `v${change}`, 100));
  writeSync(STDOUT, "+");
  if (change % 4 === 1) await cache.durable();
  if (change % 3 === 2) await cache.flush();
}
await cache.close();
process.exit(0);
