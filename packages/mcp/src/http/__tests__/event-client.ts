import { request, type IncomingMessage } from "node:http";
import { onTestFinished, vi } from "vitest";

/** One event as a client reads it. */
export interface ReadEvent {
  readonly id?: string;
  readonly retry?: number;
  /** Empty for an event that only says where the client is. */
  readonly data: string;
}

/** One connection of a client to an event stream, in the hands of a test. */
export class EventClient {
  status: number | undefined;
  headers: IncomingMessage["headers"] = {};
  /** All that came, as text. */
  text = "";
  /** Nothing follows: the stream ended, or the connection broke. */
  isOver = false;
  /** Whether it ended as it should. */
  isWhole = false;
  readonly #close: () => void;
  #response: IncomingMessage | undefined;

  /**
   * @param lastEventId asks to go on after that event; without it a POST is sent, or a GET when `method` says so
   * @param own more headers, and the body
   */
  constructor(
    port: number,
    lastEventId?: string,
    method = lastEventId === undefined ? "POST" : "GET",
    own: { readonly headers?: Record<string, string>; readonly body?: string } = {},
  ) {
    const headers = {
      accept: "text/event-stream",
      ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }),
      ...own.headers,
    };
    const sending = request({ host: "127.0.0.1", port, method, path: "/mcp", agent: false, headers });
    this.#close = () => sending.destroy();
    onTestFinished(this.#close);
    sending.on("error", () => (this.isOver = true));
    sending.on("response", (response) => {
      this.#response = response;
      this.status = response.statusCode;
      this.headers = response.headers;
      response.setEncoding("utf8");
      response.on("data", (text: string) => (this.text += text));
      response.on("end", () => (this.isWhole = true));
      response.on("error", () => {});
      response.on("close", () => (this.isOver = true));
    });
    sending.end(own.body);
  }

  /** The events that are whole, with the id each of them leaves the client with. */
  get events(): readonly ReadEvent[] {
    return this.text
      .split("\n\n")
      .slice(0, -1)
      .map(readEvent)
      .filter((event) => event !== undefined);
  }

  /** What the messages among them say. */
  get data(): readonly string[] {
    return this.events.map(({ data }) => data).filter((data) => data !== "");
  }

  /** The id of the last event that came. */
  get lastId(): string {
    const id = this.events.at(-1)?.id;
    if (id === undefined) throw new Error(`no id in ${JSON.stringify(this.text)}`);
    return id;
  }

  /** Reads nothing more. */
  pause(): void {
    this.#response?.pause();
  }

  close(): void {
    this.#close();
  }

  async untilData(count: number): Promise<this> {
    return this.until(() => this.data.length >= count);
  }

  async untilOver(): Promise<this> {
    return this.until(() => this.isOver);
  }

  async until(isSo: () => boolean): Promise<this> {
    await vi.waitFor(() => {
      if (!isSo()) throw new Error(`not yet: ${String(this.status)} ${JSON.stringify(this.text.slice(0, 500))}`);
    });
    return this;
  }
}

function readEvent(block: string): ReadEvent | undefined {
  const lines = block.split("\n").filter((line) => !line.startsWith(":"));
  const valueOf = (name: string): string | undefined =>
    lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
  const [id, retry, data] = [valueOf("id"), valueOf("retry"), valueOf("data")];
  if (data === undefined) return undefined;
  return { data, ...(id === undefined ? {} : { id }), ...(retry === undefined ? {} : { retry: Number(retry) }) };
}
