/** The members of a JSON object, of which nothing is known. */
export type Members = Readonly<Record<string, unknown>>;

/** A JSON-RPC message as it came: a request, a notification or an answer. */
export interface Message {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: Members;
  readonly result?: Members;
  readonly error?: WireError;
}

/** The `error` member of an answer. */
export interface WireError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** A notification as it came. */
export interface Heard {
  readonly method: string;
  readonly params: Members;
}

/** An answer as it came, and over HTTP the status that it came with. */
export interface Answered {
  readonly status: number | undefined;
  readonly result?: Members;
  readonly error?: WireError;
}

/** An answer that is an error, thrown. */
export class AnsweredError extends Error {
  override readonly name = "AnsweredError";
  readonly code: number;
  readonly data: unknown;

  constructor({ code, message, data }: WireError) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/** Reads what one line, event or body holds: a message, or in revision 2025-03-26 several. */
export function messagesOf(text: string): readonly Message[] {
  const value = JSON.parse(text) as Message | readonly Message[];
  return Array.isArray(value) ? (value as readonly Message[]) : [value as Message];
}
