import type { Logger } from "@cortex-os/mcp-core";
import type { Finding } from "../recovery/finding.js";
import type { Problem } from "./registry-problems.js";

/** Logs what is wrong with a registry: each thing once, not at each reading. */
export class RegistryLog {
  readonly #logger: Logger;
  readonly #registryPath: string;
  #told = new Set<string>();

  constructor(logger: Logger, registryPath: string) {
    this.#logger = logger;
    this.#registryPath = registryPath;
  }

  /** It could not be read at all. */
  loadFailed(error: unknown): void {
    this.#logger.error({ err: error, registryPath: this.#registryPath }, "Failed to load registry");
  }

  /** Logs what was not found the last time. */
  tell(findings: readonly Finding[], problems: readonly Problem[]): void {
    const before = this.#told;
    const registryPath = this.#registryPath;
    this.#told = new Set();
    const isNew = (thing: object): boolean => {
      const key = JSON.stringify(thing);
      this.#told.add(key);
      return !before.has(key);
    };
    for (const finding of findings) if (isNew(finding)) this.#tellFinding(finding);
    for (const problem of problems) {
      if (!isNew(problem)) continue;
      if ("entry" in problem) this.#logger.warn({ registryPath, ...problem.entry }, "Registry entry set aside");
      else this.#logger.warn({ registryPath, reason: problem.reason }, "Registry serves nothing");
    }
  }

  #tellFinding({ level, text }: Finding): void {
    const fields = { registryPath: this.#registryPath, reason: text };
    if (level === "error") this.#logger.error(fields, "Failed to load registry");
    else if (level === "warning") this.#logger.warn(fields, "Registry taken in with a warning");
    else this.#logger.info(fields, "Registry mended");
  }
}
