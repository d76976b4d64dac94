const last = new WeakMap<object, Promise<unknown>>();

/** Runs `work` when everything that was given before it for the same `owner` is over, however that went. */
export async function oneAtATime<T>(owner: object, work: () => Promise<T>): Promise<T> {
  const mine = (last.get(owner) ?? Promise.resolve()).then(work);
  last.set(
    owner,
    mine.catch(() => {}),
  );
  return mine;
}
