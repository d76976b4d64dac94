// A process that changes a registry, for tests that need several. It runs what the package ships: `dist`.
// Usage: writer-process.mjs upsert PREFIX COUNT, with CORTEX_HOME set: prints each name once its upsert is durable.
//        writer-process.mjs hold LOCK: takes a lock, prints `held` and stays.
import { acquireLock, closeRegistryCache, upsert } from "@cortex-os/mcp-registry";

const [action, subject, count] = process.argv.slice(2);
if (action === "upsert") {
  for (let index = 0; index < Number(count); index++) {
    const name = `${subject}${index}`;
    await upsert({ name, command: "run" });
    process.stdout.write(`${name}\n`);
  }
  await closeRegistryCache();
} else if (action === "hold" && subject !== undefined) {
  await acquireLock(subject);
  process.stdout.write("held\n");
  process.stdin.resume();
} else {
  process.exitCode = 64;
}
