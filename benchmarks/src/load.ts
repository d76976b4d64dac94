import { Pool, type Dispatcher } from "undici";

/** One HTTP endpoint under load. */
export interface Target {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What one round of load showed. */
export interface LoadResult {
  readonly calls: number;
  readonly seconds: number;
  /** Latencies in milliseconds, unsorted. */
  readonly latenciesMs: readonly number[];
}

/**
 * Keeps `concurrency` calls under way for `durationMs` milliseconds.
 * @throws Error as soon as one call is not answered with 200 and a good result: a benchmark of errors measures nothing
 */
export async function load(target: Target, concurrency: number, durationMs: number): Promise<LoadResult> {
  const { origin, pathname } = new URL(target.url);
  const pool = new Pool(origin, { connections: concurrency, pipelining: 1 });
  const latenciesMs: number[] = [];
  const started = performance.now();
  const until = started + durationMs;
  const worker = async (): Promise<void> => {
    while (performance.now() < until) {
      const before = performance.now();
      await call(pool, pathname, target);
      latenciesMs.push(performance.now() - before);
    }
  };
  try {
    await Promise.all(Array.from({ length: concurrency }, worker));
  } finally {
    await pool.destroy();
  }
  return { calls: latenciesMs.length, seconds: (performance.now() - started) / 1_000, latenciesMs };
}

async function call(pool: Pool, path: string, { headers, body }: Target): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let status = 0;
    let text = "";
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: () => {},
      onResponseStart: (_controller, statusCode) => {
        status = statusCode;
      },
      onResponseData: (_controller, chunk) => {
        text += chunk.toString("latin1");
      },
      onResponseEnd: () => {
        if (status === 200 && text.includes('"result"') && !text.includes('"isError":true')) resolve();
        else reject(new Error(`answered ${status}: ${text.slice(0, 200)}`));
      },
      onResponseError: (_controller, error) => {
        reject(error);
      },
    };
    pool.dispatch({ path, method: "POST", headers, body }, handler);
  });
}
