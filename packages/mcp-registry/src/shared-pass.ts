/** Runs a task for all who ask while it waits to begin: each caller's pass begins after its call, and one runs at a time. */
export class SharedPass<T> {
  readonly #task: () => Promise<T>;
  #running: Promise<unknown> = Promise.resolve();
  #next: Promise<T> | undefined;

  constructor(task: () => Promise<T>) {
    this.#task = task;
  }

  /** Resolves or rejects with the pass that begins next. */
  run(): Promise<T> {
    if (this.#next !== undefined) return this.#next;
    const next = this.#running.then(async () => {
      this.#next = undefined;
      return this.#task();
    });
    this.#next = next;
    this.#running = next.catch(() => {});
    return next;
  }

  /** Runs something else between two passes. */
  between<U>(task: () => Promise<U>): Promise<U> {
    const turn = this.#running.then(task);
    this.#running = turn.catch(() => {});
    return turn;
  }
}
