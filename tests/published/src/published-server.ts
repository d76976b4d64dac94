import type { Expected } from "./expected.js";

/** One server that somebody published on npm, and the one call that shows that it works behind the gateway. */
export interface PublishedServer {
  /** The connector's key. */
  readonly name: string;
  readonly package: string;
  /** Exact: what was looked at is what runs. */
  readonly version: string;
  /** The file that Node runs, relative to the package's folder. */
  readonly entry: string;
  /** Without the entry. {@link FOLDER} in it becomes the server's own folder, as in `env` and in the call's arguments. */
  readonly args?: readonly string[];
  /** On top of the minimal environment that the gateway gives each child. */
  readonly env?: Readonly<Record<string, string>>;
  /** How many tools it lists when it is asked without a gateway. */
  readonly tools: number;
  readonly call: PublishedCall;
}

/** A call that needs no network, changes nothing that matters, and may be made again: each era makes it once. */
export interface PublishedCall {
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly expected: Expected;
}

/** Stands for the folder that each server has to itself, with the fixture files in it. */
export const FOLDER = "{folder}";
