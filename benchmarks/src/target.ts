import type { Judge } from "./answer-check.js";

/** One HTTP request that is sent over and over. */
export interface Target {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** What makes an answer a good one. @default a result that is not a tool's error */
  readonly judge?: Judge;
}
