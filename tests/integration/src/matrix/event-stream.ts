/** One event of an event stream. */
export interface StreamEvent {
  readonly event: string;
  readonly data: string;
}

/**
 * Gives every event of a response body to `onEvent`, as it comes; comments and events without data are left out.
 * @throws what reading the body throws
 */
export async function readEvents(
  body: ReadableStream<Uint8Array>,
  onEvent: (event: StreamEvent) => void,
): Promise<void> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf("\n\n"); end !== -1; end = text.indexOf("\n\n")) {
      const read = eventOf(text.slice(0, end));
      text = text.slice(end + 2);
      if (read.data !== "") onEvent(read);
    }
  }
}

function eventOf(block: string): StreamEvent {
  const field = (name: string): string =>
    block
      .split("\n")
      .filter((line) => line.startsWith(`${name}:`))
      .map((line) => line.slice(name.length + 1).replace(/^ /, ""))
      .join("\n");
  return { event: field("event"), data: field("data") };
}
