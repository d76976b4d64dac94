import { writeSync } from "node:fs";
import { serverOf } from "../content.js";
import { targetAt, type Cache, type Registry } from "../target.js";
import { writerSteps, type WriterOrder } from "./writer-script.js";

// A process that changes a registry and says `+` on stdout for each change that was acknowledged, after it was.

const STDOUT = 1;
/** Small, so that some journals are closed. */
const JOURNAL_LIMIT_BYTES = 65_536;
const FLUSH_EVERY = 64;

const order = JSON.parse(process.argv[2] ?? "") as WriterOrder;
const { registry } = await targetAt(order.entry);
const most = order.changes ?? Infinity;
let changes = 0;

function acknowledge(): void {
  changes++;
  writeSync(STDOUT, "+");
}

async function opened({ RegistryMemoryCache, registryPath }: Registry): Promise<Cache> {
  const cache = new RegistryMemoryCache({
    registryPath: registryPath({ CORTEX_HOME: order.home }),
    flushIntervalMs: order.manner === "add" ? 500 : 20,
    journalLimitBytes: JOURNAL_LIMIT_BYTES,
  });
  await cache.init();
  return cache;
}

async function runScript(): Promise<void> {
  let cache = await opened(registry);
  for (const step of writerSteps(order)) {
    if (changes >= most) break;
    if (step.kind === "upsert") cache.upsert(step.server);
    else if (step.kind === "remove") cache.remove(step.name);
    if (step.kind === "upsert" || step.kind === "remove") acknowledge();
    else if (step.kind === "flush" || step.kind === "durable") {
      // Nobody waits: a kill is the end of it, and anything else ends the process with a failure.
      const promise = cache[step.kind]();
      if (!step.later) await promise;
    } else if (step.kind === "refresh") await cache.refresh();
    else if (step.kind === "reopen") {
      await cache.close();
      cache = await opened(registry);
    } else await turn();
  }
  await cache.close();
}

async function add(): Promise<void> {
  const cache = await opened(registry);
  while (changes < most) {
    cache.upsert(serverOf(`${order.prefix}${changes}`, `v${changes}`));
    acknowledge();
    if (changes % FLUSH_EVERY === 0) await turn();
  }
  await cache.close();
}

async function store(): Promise<void> {
  const fsStore = new registry.FsStore({ env: { CORTEX_HOME: order.home } });
  for (const step of writerSteps(order)) {
    if (changes >= most) break;
    if (step.kind === "upsert") await fsStore.upsert(step.server);
    else if (step.kind === "remove") await fsStore.remove(step.name);
    else continue;
    acknowledge();
  }
  await fsStore.closeRegistryCache();
}

async function turn(): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
}

await { script: runScript, add, store }[order.manner]();
