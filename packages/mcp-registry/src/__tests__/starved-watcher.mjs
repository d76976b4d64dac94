// Watches a registry in a process that has no file descriptor left, and then changes it. Runs what the package ships: `dist`.
// Usage: starved-watcher.mjs FILE, under a low `ulimit -n`: prints `warned CODE`, then `changed`.
import { closeSync, openSync, writeFileSync } from "node:fs";
import { watchFile } from "@cortex-os/mcp-registry";

const file = process.argv[2] ?? "";
const print = (line) => process.stdout.write(`${line}\n`);
const taken = [];
try {
  for (;;) taken.push(openSync("/dev/null"));
} catch {
  // That was the last one.
}
const silent = () => {};
const warned = new Set();
const warn = ({ err }) => warned.add(err.code);
const holdOpen = setInterval(silent, 1_000);
const watch = await watchFile({
  path: file,
  logger: { debug: silent, info: silent, warn, error: silent },
  onChange: () => {
    print("changed");
    clearInterval(holdOpen);
    void watch.close();
  },
});
for (const descriptor of taken) closeSync(descriptor);
for (const code of warned) print(`warned ${code}`);
writeFileSync(file, "changed");
