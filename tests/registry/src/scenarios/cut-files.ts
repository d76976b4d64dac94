import { isSame } from "../content.js";
import { judgeDamaged, openDamaged, type Damaged } from "../damage/open-damaged.js";
import { registryBefore, SUFFIXES, type RegistryBefore } from "../damage/registry-before.js";
import { Tally, type Scenario, type ScenarioOptions } from "../scenario.js";

const NEWLINE = 0x0a;
/** After one cut in so many the registry is used on. */
const GO_ON = 8;

/** Every file of a registry cut at every byte, and gone. A round is one registry. */
export const cutFiles: Scenario = {
  name: "cut-files",
  promise:
    "a journal cut at any byte gives an exact prefix; no other file can be cut so that what was flushed is lost (R11)",
  short: 2,
  long: 40,
  run: async ({ seed, rounds, target }: ScenarioOptions) => {
    const tally = new Tally(cutFiles.name);
    for (let round = 0; round < rounds; round++) {
      const before = await registryBefore(target, seed + round);
      tally.acknowledged(before.states.length - 1);
      for (const suffix of SUFFIXES) {
        const whole = before.files[suffix];
        for (let length = 0; length <= whole.length; length++) {
          const files = { ...before.files, [suffix]: whole.subarray(0, length) };
          const what = `servers.json${suffix} cut at byte ${length} of ${whole.length}`;
          const goOn = length % GO_ON === 0;
          await check(
            { target, before, files, what, seed: seed + round, tally, goOn },
            suffix === ".log" ? length : undefined,
          );
        }
        const { [suffix]: _, ...files } = before.files;
        await check({
          target,
          before,
          files,
          what: `servers.json${suffix} is gone`,
          seed: seed + round,
          tally,
          goOn: true,
        });
      }
    }
    return tally.result();
  },
};

/** @param journalLength how much of the journal is left, when that was cut */
async function check(damaged: Damaged, journalLength?: number): Promise<void> {
  const { before, what, seed, tally } = damaged;
  const found = await openDamaged(damaged);
  if (found === undefined) return;
  const { [".log"]: journal } = damaged.files;
  judgeDamaged(found, damaged, journal === undefined || journal.length === 0 || journal.at(-1) === NEWLINE);
  if (journalLength === undefined) return;
  const expected = before.states[changesIn(before, journalLength)] ?? [];
  if (isSame(found.content, expected)) return;
  tally.fail("wrong", seed, `${what}: found [${found.content.join(" ")}], not the prefix [${expected.join(" ")}]`);
}

/** How many changes the snapshot and so much of the journal hold. */
function changesIn(before: RegistryBefore, journalLength: number): number {
  const text = new TextDecoder().decode(before.files[".log"].subarray(0, journalLength));
  const whole = text.slice(0, text.lastIndexOf("\n") + 1).split("\n");
  const numbers = whole.flatMap((line) => {
    const { s, op } =
      line === "" ? {} : (JSON.parse(line.slice("LLLLLLLL CCCCCCCC ".length)) as { s?: number; op?: string });
    return s === undefined || op === undefined ? [] : [s];
  });
  return Math.max(before.flushed, ...numbers);
}
