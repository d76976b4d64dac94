/** What the two programs need of their process, so that a test can run them in its own. */
export interface ProcessLike {
  readonly argv: readonly string[];
  out(line: string): void;
  err(line: string): void;
  /** Calls `task` at the first of these signals instead of dying of it. */
  onSignal(signals: readonly ("SIGINT" | "SIGTERM")[], task: () => void): void;
}
