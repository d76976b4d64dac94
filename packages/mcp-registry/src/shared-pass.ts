/** Runs a task for all who ask while it waits to begin: each caller's pass begins after its call, and one runs at a time. */
export class SharedPass {
  readonly #task: () => Promise<void>;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(task: () => Promise<void>) {
    this.#task = task;
  }

  /** Resolves or rejects with the pass that begins next. */
  run(): Promise<void> {
    if (this.#next !== undefined) return this.#next;
    const next = this.#running.then(async () => {
      this.#next = undefined;
      await this.#task();
    });
    this.#next = next;
    this.#running = next.catch(() => {});
    return next;
  }

  /** Runs something else between two passes. */
  between<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#running.then(task);
    this.#running = turn.then(
      () => {},
      () => {},
    );
    return turn;
  }
}
