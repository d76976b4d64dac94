import type { Target } from "./target.js";

/** What a scenario is asked to do. */
export interface ScenarioOptions {
  /** The first round's; the next round has the next number. */
  readonly seed: number;
  readonly rounds: number;
  /** What is on trial. */
  readonly target: Target;
}

/** What came of a scenario. All is well when `lost`, `wrong` and `thrown` are 0. */
export interface ScenarioResult {
  /** How often something was killed, cut, damaged or made to fail. */
  readonly rounds: number;
  /** How many changes were acknowledged. */
  readonly acknowledged: number;
  /** Acknowledged changes that were missing afterwards. */
  readonly lost: number;
  /** Values that were neither the old nor the new one, servers that never existed, complaints where none are due. */
  readonly wrong: number;
  /** Exceptions where there must be none, or of a kind that nobody expects. */
  readonly thrown: number;
  /** The arguments that show the first failure again. */
  readonly replay?: string;
  /** The first failures, in words. */
  readonly failures: readonly string[];
  /** What people may want to know besides. */
  readonly notes: readonly string[];
  /** Why it could not be run here. */
  readonly skipped?: string;
}

/** One way to lose what was acknowledged, tried. */
export interface Scenario {
  readonly name: string;
  /** What holds, as a sentence with its requirements. */
  readonly promise: string;
  /** How many rounds in short form; none for a scenario of the long form only. */
  readonly short?: number;
  /** How many rounds in long form. */
  readonly long: number;
  run(options: ScenarioOptions): Promise<ScenarioResult>;
}

/** What can be wrong. */
export type Verdict = "lost" | "wrong" | "thrown";

const MOST_FAILURES = 5;

/** Counts what a scenario sees. */
export class Tally {
  readonly #scenario: string;
  readonly #counts: Record<Verdict, number> = { lost: 0, wrong: 0, thrown: 0 };
  readonly #failures: string[] = [];
  readonly #notes: string[] = [];
  #rounds = 0;
  #acknowledged = 0;
  #replay: string | undefined;

  constructor(scenario: string) {
    this.#scenario = scenario;
  }

  /** Whether anything was wrong so far. */
  get failed(): boolean {
    return this.#failures.length > 0;
  }

  round(): void {
    this.#rounds++;
  }

  acknowledged(count = 1): void {
    this.#acknowledged += count;
  }

  note(text: string): void {
    this.#notes.push(text);
  }

  /**
   * @param seed that of the round, which shows it again
   * @param rounds how many rounds that takes
   */
  fail(verdict: Verdict, seed: number, what: string, rounds = 1): void {
    this.#counts[verdict]++;
    this.#replay ??= `--only ${this.#scenario} --seed ${seed} --rounds ${rounds}`;
    if (this.#failures.length < MOST_FAILURES) this.#failures.push(`${verdict} (seed ${seed}): ${what}`);
  }

  result(skipped?: string): ScenarioResult {
    return {
      rounds: this.#rounds,
      acknowledged: this.#acknowledged,
      ...this.#counts,
      failures: this.#failures,
      notes: this.#notes,
      ...(this.#replay === undefined ? {} : { replay: this.#replay }),
      ...(skipped === undefined ? {} : { skipped }),
    };
  }
}
