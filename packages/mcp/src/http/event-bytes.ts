const COLON = 0x3a;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BYTE_ORDER_MARK = Buffer.from("\uFEFF", "utf8");
const FEED = Buffer.from("\n");

/** An event without data: it tells where the client is, and how long to wait before it comes back (2025-11-25, Transports, Sending Messages 6). */
export const primer = (retryMs: number): Uint8Array => Buffer.from(`retry: ${retryMs}\ndata: \n\n`);

/** Whether it is a comment, or what is left of a line break. */
export const isAside = ({ 0: first }: Uint8Array): boolean =>
  first === COLON || first === LINE_FEED || first === CARRIAGE_RETURN;

/** The event without the mark that only the first bytes of a stream may be, and with its last line break whole. */
export function whole(bytes: Uint8Array): Uint8Array {
  const isMarked = BYTE_ORDER_MARK.every((byte, at) => bytes[at] === byte);
  const event = isMarked ? bytes.subarray(BYTE_ORDER_MARK.length) : bytes;
  return event.at(-1) === CARRIAGE_RETURN ? Buffer.concat([event, FEED]) : event;
}
