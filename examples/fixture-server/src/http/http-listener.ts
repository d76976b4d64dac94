import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Timers } from "@cortex-os/mcp-core";
import { CODE, RpcFailure } from "../rpc-failure.js";
import { sleep } from "../sleep.js";
import { foreignName } from "./loopback-guard.js";
import { sendEmpty, sendFailure } from "./reply.js";
import { RequestCounters } from "./request-counters.js";

/** How long the last answers may take to get out when the server closes. */
const CLOSE_GRACE_MS = 1_000;

/** What listens on 127.0.0.1: counts what comes, turns away what means another machine, and stops in order. */
export class HttpListener {
  readonly requests = new RequestCounters();
  readonly #serve: (req: IncomingMessage, res: ServerResponse) => Promise<void>;
  readonly #timers: Timers;
  readonly #http: Server;
  #port = 0;
  #closing: Promise<void> | undefined;

  /** @param serve answers a request; when it rejects, the connection is cut */
  constructor(serve: (req: IncomingMessage, res: ServerResponse) => Promise<void>, timers: Timers) {
    this.#serve = serve;
    this.#timers = timers;
    this.#http = createServer((req, res) => {
      // A client that breaks off in the middle of its message has left nobody to answer.
      this.#receive(req, res).catch(() => res.destroy());
    });
  }

  /** The port it listens on. */
  get port(): number {
    return this.#port;
  }

  /** @throws Error (`EADDRINUSE` and the like) when it cannot listen on `port`; 0 takes any free one */
  async listen(port: number): Promise<void> {
    this.#http.listen(port, "127.0.0.1");
    await once(this.#http, "listening");
    const address = this.#http.address();
    this.#port = typeof address === "object" && address !== null ? address.port : port;
  }

  /**
   * Frees the port. Idempotent.
   * @param shutDown ends what is open; connections that are left a second later are cut
   */
  async close(shutDown: () => Promise<void>): Promise<void> {
    this.#closing ??= this.#close(shutDown);
    await this.#closing;
  }

  async #close(shutDown: () => Promise<void>): Promise<void> {
    const closed = once(this.#http, "close");
    this.#http.close();
    const drained = new AbortController();
    void shutDown().then(() => {
      drained.abort();
    });
    await sleep(this.#timers, CLOSE_GRACE_MS, drained.signal);
    this.#http.closeAllConnections();
    await closed;
  }

  async #receive(req: IncomingMessage, res: ServerResponse): Promise<void> {
    this.requests.count(req.method);
    const foreign = foreignName(req.headers);
    if (foreign !== undefined) sendFailure(res, 403, new RpcFailure(CODE.invalidRequest, foreign));
    else if (this.#closing !== undefined) sendEmpty(res, 503, { connection: "close" });
    else await this.#serve(req, res);
  }
}
