/** The name or value of a header as it came: bytes, which are characters of Latin-1. */
type RawText = Buffer | string;

/** Names and values of a response's headers in turn. */
export type RawHeaders = readonly RawText[];

/**
 * Reads one HTTP response as undici's core gives it. (Its newer handlers stand behind an adapter which makes, of every response, an object of all headers and a
 * controller: 4 to 5 percent of what a call costs, docs/decisions/0024.)
 */
export interface ResponseReader {
  /** The request is sent now. @param abort breaks it off; does nothing once the response is complete */
  onConnect(abort: (reason?: Error) => void): void;
  /**
   * The head of the response, or of an interim one.
   *
   * @param resume goes on after one of these returned false; does nothing otherwise
   * @returns false to wait before the body
   */
  onHeaders(status: number, headers: RawHeaders, resume: () => void): boolean;
  /** @returns false to wait before what follows */
  onData(chunk: Buffer): boolean;
  onComplete(): void;
  onError(error: Error): void;
}

/** The first header of that name. @param name in lower case */
export function firstHeader(headers: RawHeaders, name: string): string | undefined {
  for (let at = 0; at < headers.length; at += 2) {
    const raw = headers[at];
    if (raw !== undefined && isNamed(raw, name)) return textOf(headers[at + 1]);
  }
  return undefined;
}

/** Most names differ in length. Those that do not are compared byte by byte, which costs less than a text of them. */
function isNamed(raw: RawText, name: string): boolean {
  if (raw.length !== name.length) return false;
  if (typeof raw === "string") return raw.toLowerCase() === name;
  for (let at = 0; at < raw.length; at += 1) {
    // In the names of headers, which are tokens, this bit makes letters small and leaves all else as it is (RFC 9110, 5.6.2).
    if (((raw[at] ?? 0) | SMALL) !== name.charCodeAt(at)) return false;
  }
  return true;
}

const SMALL = 0x20;

/** All headers, names in lower case; several values of one name joined by a comma and a space. */
export function allHeaders(headers: RawHeaders): Record<string, string> {
  const all = new Map<string, string>();
  for (let at = 0; at < headers.length; at += 2) {
    const name = textOf(headers[at]).toLowerCase();
    const before = all.get(name);
    const value = textOf(headers[at + 1]);
    all.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return Object.fromEntries(all);
}

const textOf = (raw: RawText | undefined): string =>
  typeof raw === "string" ? raw : raw === undefined ? "" : raw.toString("latin1");
