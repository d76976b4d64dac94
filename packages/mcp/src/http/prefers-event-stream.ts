const EVENT_STREAM = "text/event-stream";

/**
 * Whether a client would rather have an answer as a stream of events than as JSON: its `Accept` gives that type more weight, or the same and
 * names it first. (The MCP revisions ask a client to accept both and leave the choice to the server; what clients send by habit begins with JSON.)
 */
export function prefersEventStream(accept: string | undefined): boolean {
  if (accept === undefined || accept.startsWith("application/json,")) return false;
  const ranges = accept.split(",").map(readRange);
  const stream = ranges.find(({ type }) => type === EVENT_STREAM);
  if (stream === undefined || stream.weight === 0) return false;
  return ranges.every(
    (range, at) =>
      range === stream ||
      range.weight < stream.weight ||
      (range.weight === stream.weight && at > ranges.indexOf(stream)),
  );
}

function readRange(text: string): { readonly type: string; readonly weight: number } {
  const [type = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
  return { type, weight: weight === undefined ? 1 : Number(weight) || 0 };
}
