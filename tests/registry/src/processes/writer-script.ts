import { Model, type Content } from "../content.js";
import { Random } from "../random.js";
import { randomSteps, type Step } from "../steps.js";

/** What a writer process is told to do. */
export interface WriterOrder {
  /** The registry on trial: a file URL. */
  readonly entry: string;
  /** CORTEX_HOME. */
  readonly home: string;
  readonly seed: number;
  /** Before every name it writes: no two writers have the same. */
  readonly prefix: string;
  /** How many changes; none for as many as it can until it is killed. */
  readonly changes?: number;
  /** `script`: changes and removals of a few servers, flushes, new instances. `add`: a new server each time. `store`: the same with promises. */
  readonly manner: "script" | "add" | "store";
}

/** The servers of a writer are this many, or as many as its changes when it adds. */
const CHUNK = 200;

/** All that a writer does, as far as anybody asks: the same for one seed, in the process and in whoever checks it. */
export function* writerSteps({ seed, prefix }: Pick<WriterOrder, "seed" | "prefix">): Generator<Step> {
  for (let chunk = 0; ; chunk++) {
    const random = new Random(seed + chunk * 7_919);
    for (const step of randomSteps(random, { steps: CHUNK, prefix, versions: `${prefix}c${chunk}` })) yield step;
  }
}

/** What a writer's servers are after so many of its changes, and after one more. */
export function contentAfter(
  order: Pick<WriterOrder, "seed" | "prefix">,
  changes: number,
): readonly [Content, Content] {
  const model = new Model();
  let done = 0;
  let before: Content = [];
  for (const step of writerSteps(order)) {
    if (step.kind !== "upsert" && step.kind !== "remove") continue;
    if (done === changes) before = model.content;
    if (step.kind === "upsert") model.upsert(step.server);
    else model.remove(step.name);
    if (done++ === changes) break;
  }
  return [before, model.content];
}
