import { expect, vi } from "vitest";
import { EventClient } from "./event-client.js";
import { startSink } from "./sink-set-up.js";

/** A client whose revision knows of events without data, and one whose revision does not. */
export const PRIMED = { era: "legacy", revision: "2025-11-25" } as const;
export const UNPRIMED = { era: "legacy", revision: "2025-06-18" } as const;
export const SSE = { "content-type": "text/event-stream" };
export const ANSWER = { jsonrpc: "2.0", id: "id-1", result: { done: true } } as const;
/** How long a stream waits for its client, and how long a complete one is remembered. */
export const KEEP_MS = 60_000;
export const COMPLETE_MS = 10_000;

export const note = (n: number) => ({ jsonrpc: "2.0", method: "n", params: { n } }) as const;
/** What a client reads of such notes. */
export const said = (...ns: number[]): string[] => ns.map((n) => JSON.stringify(note(n)));
export const event = (text: string): Buffer => Buffer.from(`data: ${text}\n\n`);

export type SinkOptions = Parameters<typeof startSink>[1];

/** A call that has told `count` things; its client, and what happens to it. */
export async function called(count: number, options: SinkOptions = PRIMED) {
  const set = await startSink((sink) => {
    for (let n = 1; n <= count; n += 1) sink.notify(note(n));
  }, options);
  const client = new EventClient(set.port);
  const sink = await set.sink();
  await client.untilData(count);
  /** The client's connection breaks, and the gateway notices. */
  const cut = async (which: EventClient = client): Promise<void> => {
    const before = set.time.delays.filter((ms) => ms > 15_000).length;
    which.close();
    await vi.waitFor(() => expect(set.time.delays.filter((ms) => ms > 15_000).length).toBeGreaterThan(before));
  };
  const back = (id: string): EventClient => new EventClient(set.port, id);
  return { ...set, client, own: sink, cut, back };
}
