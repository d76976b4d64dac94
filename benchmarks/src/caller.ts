import { connect, type Socket } from "node:net";
import { AnswerCheck, type Judge } from "./answer-check.js";
import { AnswerReader } from "./answer-reader.js";
import type { Target } from "./target.js";

const isAResult: Judge = (body) =>
  body.includes('"result"') && !body.includes('"isError":true') ? undefined : "no good result";

/**
 * One connection that sends the same bytes again as soon as the answer to the last has come.
 *
 * It writes to the socket itself: an HTTP client library in the load generator costs as much CPU time as the gateway that is measured, on the cores that both share.
 */
export class Caller {
  readonly #socket: Socket;
  readonly #request: Buffer;
  readonly #latenciesMs: number[];
  readonly #ended: Promise<void>;
  #resolve: () => void = () => {};
  #reject: (error: unknown) => void = () => {};
  #until = 0;
  #sentAt = 0;

  private constructor(socket: Socket, { url, headers, body, judge = isAResult }: Target, latenciesMs: number[]) {
    this.#socket = socket;
    this.#request = requestBytes(url, headers, body);
    this.#latenciesMs = latenciesMs;
    this.#ended = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // It may fail before anybody waits for it.
    this.#ended.catch(() => {});
    const check = new AnswerCheck(judge);
    const reader = new AnswerReader({
      body: (piece) => {
        check.body(piece);
      },
      end: (status) => {
        check.end(status);
        this.#answered();
      },
    });
    socket.on("data", (piece) => {
      try {
        reader.read(piece);
      } catch (error) {
        this.stop(error);
      }
    });
    socket.on("error", this.#reject);
    socket.on("close", () => {
      this.#reject(new Error("the connection was closed before the answer had come"));
    });
  }

  /** @param latenciesMs where it writes how long each call took */
  static async open(target: Target, latenciesMs: number[]): Promise<Caller> {
    const { hostname, port } = new URL(target.url);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return new Caller(socket, target, latenciesMs);
  }

  /** Calls until then, as `performance.now` counts. @throws Error as soon as an answer is no good */
  async callUntil(until: number): Promise<void> {
    this.#until = until;
    this.#send();
    await this.#ended;
  }

  /** Ends it; whoever waits for its calls hears of `error`. */
  stop(error: unknown): void {
    this.#reject(error);
    this.#socket.destroy();
  }

  #send(): void {
    this.#sentAt = performance.now();
    this.#socket.write(this.#request);
  }

  #answered(): void {
    const now = performance.now();
    this.#latenciesMs.push(now - this.#sentAt);
    if (now < this.#until) {
      this.#send();
      return;
    }
    this.#resolve();
    this.#socket.destroy();
  }
}

function requestBytes(url: string, headers: Target["headers"], body: string): Buffer {
  const { host, pathname, search } = new URL(url);
  const all = { host, ...headers, "content-length": String(Buffer.byteLength(body)) };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`POST ${pathname}${search} HTTP/1.1\r\n${lines.join("")}\r\n${body}`);
}
