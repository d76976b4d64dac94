import { setTimeout as sleep } from "node:timers/promises";
import { once } from "node:events";
import { labelledLines } from "./labelled-lines.mjs";
import { runNode } from "./workspace.mjs";

/** What a process that outlives the program could hold open is not waited for any longer than this. */
const LAST_WORDS_MS = 5_000;

/**
 * {@link runNode}, but every line of its output, stderr too, begins with `label`, and is passed on as soon as it is whole:
 * nothing is lost when a time limit ends all of it.
 *
 * @param {string} label
 * @param {string} script
 * @param {readonly string[]} args
 * @param {{ cwd: string, write?: (text: string) => void }} options
 */
export async function runLabelled(label, script, args, { cwd, write = (text) => void process.stdout.write(text) }) {
  /** @type {Promise<unknown>[]} */
  const closed = [];
  const code = await runNode(script, args, {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    onSpawn: ({ stdout, stderr }) => {
      for (const stream of [stdout, stderr]) {
        if (stream === null) continue;
        const lines = labelledLines(label, write);
        stream.setEncoding("utf8").on("data", (/** @type {string} */ text) => {
          lines.push(text);
        });
        closed.push(
          once(stream, "close").then(() => {
            lines.end();
          }),
        );
      }
    },
  });
  await Promise.race([Promise.all(closed), sleep(LAST_WORDS_MS, undefined, { ref: false })]);
  return code;
}
