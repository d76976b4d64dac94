import fc from "fast-check";
import { described } from "../errors.js";
import { ModelMismatch, ModelWorld } from "../model/model-world.js";
import { Tally, type Scenario, type ScenarioOptions } from "../scenario.js";

const MOST_COMMANDS = 40;

/** Any commands in any order, beside a map. A round is one sequence. */
export const model: Scenario = {
  name: "model",
  promise:
    "the registry behaves like a map, whatever the order of changes, flushes, openings, kills, power cuts and edits by hand (R10 to R14)",
  short: 400,
  long: 10_000,
  run: async ({ seed, rounds, target }: ScenarioOptions) => {
    const tally = new Tally(model.name);
    const property = fc.asyncProperty(
      fc.commands(COMMANDS, { maxCommands: MOST_COMMANDS, size: "max" }),
      async (commands) => {
        const real = new ModelWorld(target);
        tally.round();
        await fc.asyncModelRun(() => ({ model: {}, real }), commands);
        await real.end();
        tally.acknowledged(real.acknowledged);
      },
    );
    const { failed, counterexample, errorInstance } = await fc.check(property, { seed, numRuns: rounds });
    if (failed) {
      const verdict = errorInstance instanceof ModelMismatch ? "wrong" : "thrown";
      tally.fail(verdict, seed, `${described(errorInstance)} after ${fc.stringify(counterexample)}`, rounds);
    }
    return tally.result();
  },
};

type Command = fc.AsyncCommand<object, ModelWorld>;

function command(label: string, run: (real: ModelWorld) => Promise<void>): Command {
  return { check: () => true, toString: () => label, run: async (_, real) => run(real) };
}

const by = fc.constantFrom(0, 0, 1);
const name = fc.constantFrom("a", "A", "b", "c", "__proto__");
const padding = fc.constantFrom(0, 0, 0, 700);
const edit = fc.constantFrom("add" as const, "change" as const, "remove" as const);

const COMMANDS: fc.Arbitrary<Command>[] = [
  fc
    .tuple(by, name, padding)
    .map(([seat, key, size]) =>
      command(`${seat} upserts ${key}/${size}`, async (real) => real.upsert(seat, key, size)),
    ),
  fc
    .tuple(by, name, padding)
    .map(([seat, key, size]) =>
      command(`${seat} upserts ${key}/${size} `, async (real) => real.upsert(seat, key, size)),
    ),
  fc.tuple(by, name).map(([seat, key]) => command(`${seat} removes ${key}`, async (real) => real.remove(seat, key))),
  by.map((seat) => command(`${seat} flushes`, async (real) => real.flush(seat))),
  by.map((seat) => command(`${seat} begins a flush`, async (real) => real.flushLater(seat))),
  by.map((seat) => command(`${seat} asks for durability`, async (real) => real.durable(seat))),
  by.map((seat) => command(`${seat} refreshes`, async (real) => real.refresh(seat))),
  by.map((seat) => command(`${seat} closes and opens`, async (real) => real.reopen(seat))),
  by.map((seat) => command(`${seat} is killed and starts again`, async (real) => real.kill(seat))),
  by.map((seat) => command(`the power goes, ${seat} starts`, async (real) => real.cutPower(seat))),
  fc
    .tuple(by, edit, name)
    .map(([seat, what, key]) =>
      command(`${seat} sees an edit by hand: ${what} ${key}`, async (real) => real.editByHand(seat, what, key)),
    ),
];
