import * as fc from "fast-check";
import { SseParser, type SseEvent } from "../sse.js";

/** Every event of a stream that arrives in these chunks, and the error that ended it. */
export interface ParsedStream {
  readonly events: readonly SseEvent[];
  readonly error?: unknown;
}

/** Pushes `chunks` one by one, up to the first that is refused. */
export function parseChunks(chunks: readonly Uint8Array[], maxEventLength?: number): ParsedStream {
  const events: SseEvent[] = [];
  const parser = new SseParser((event) => events.push(event), maxEventLength);
  try {
    for (const chunk of chunks) parser.push(chunk);
  } catch (error) {
    return { events, error };
  }
  return { events };
}

/** `bytes` cut at these places, which may be in any order, repeat (an empty chunk) and lie outside. */
export function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const borders = [0, ...places.map((place) => Math.min(place, bytes.length)), bytes.length].toSorted((a, b) => a - b);
  return borders.slice(1).map((end, at) => bytes.subarray(borders[at], end));
}

/** One byte per chunk. */
export const bytewise = (bytes: Uint8Array): Uint8Array[] => cutAt(bytes, [...bytes.keys()]);

/** Streams of fields, comments, blank lines, all three line breaks, odd bytes and text of every UTF-8 length. */
export const anyStream: fc.Arbitrary<Uint8Array> = fc
  .array(
    fc.oneof(
      fc.constantFrom("\n", "\r", "\r\n", "\n\n", "\r\n\r\n", "\r\r"),
      fc.constantFrom(
        "data: ",
        "data:",
        "data",
        "event: ",
        "id: ",
        "id",
        "id: \0",
        "retry: 5",
        ": ",
        ":",
        " ",
        "datax: ",
      ),
      fc.constantFrom("a", "é", "世", "🎉", "\uFEFF", "\u0085", "\u2028", "{}"),
    ),
    { maxLength: 40 },
  )
  .chain((parts) =>
    fc.record({
      mark: fc.boolean(),
      text: fc.constant(parts.join("")),
      // A byte that no UTF-8 holds, or the first of a sequence that does not go on.
      odd: fc.option(fc.record({ at: fc.nat(200), byte: fc.constantFrom(0xff, 0xe4, 0xf0, 0x80) }), { freq: 3 }),
    }),
  )
  .map(({ mark, text, odd }) => {
    const bytes = [...Buffer.from(`${mark ? "\uFEFF" : ""}${text}`, "utf8")];
    if (odd !== null) bytes.splice(Math.min(odd.at, bytes.length), 0, odd.byte);
    return Uint8Array.from(bytes);
  });

/** The whole of WHATWG HTML 9.2.6 on a finished text, as plainly as it can be said: what the parser is compared with. */
export function eventsOf(bytes: Uint8Array): SseEvent[] {
  const lines = new TextDecoder().decode(bytes).split(/\r\n|\n|\r/);
  lines.pop();
  const events: SseEvent[] = [];
  let data: string[] = [];
  let event = "";
  let id: string | undefined;
  for (const line of lines) {
    const [, field, value = ""] = /^([^:]*)(?:: ?(.*))?$/su.exec(line) ?? [];
    if (line === "") {
      if (data.length > 0) {
        events.push({ event: event || "message", data: data.join("\n"), ...(id === undefined ? {} : { id }) });
      }
      data = [];
      event = "";
    } else if (field === "data") data.push(value);
    else if (field === "event") event = value;
    else if (field === "id" && !value.includes("\0")) id = value;
  }
  return events;
}
