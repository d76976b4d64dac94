import { answerTo, capabilitiesOf } from "./answers.js";
import { AnsweredError, type Answered, type Heard, type Members, type Message } from "./message.js";
import type { OpenWire, Wire } from "./wire.js";

/** How a request is made. */
export interface RequestOptions {
  readonly signal?: AbortSignal;
  /** Asks for progress, and hears it. */
  readonly onProgress?: (params: Members) => void;
}

interface Waiting {
  readonly onProgress: ((params: Members) => void) | undefined;
  readonly answer: (message: Message) => void;
}

const MODERN = "2026-07-28";
const CLIENT_INFO = { name: "raw-client", version: "1.0.0" };

/**
 * A client without an SDK that speaks one revision exactly as it was published, and nothing that came later. Its request ids and progress tokens are 0, 1, 2 …, as
 * those of every other one are.
 */
export class RawClient {
  readonly revision: string;
  /** Notifications, but for progress. */
  readonly heard: Heard[] = [];
  /** Answers to what was never asked, and progress of it. */
  readonly strays: Message[] = [];
  /** What still came for requests that were given up: it was under way when the server heard of that. */
  readonly late: Message[] = [];
  /** What the server said of itself when they met; nothing in the modern era, where nobody has to ask. */
  server: Members = {};
  capabilities: Members = {};
  readonly #wire: Wire;
  readonly #waiting: Map<unknown, Waiting>;
  readonly #name: string | undefined;
  readonly #givenUp = new Set<unknown>();
  #nextId = 0;

  private constructor(revision: string, wire: Wire, waiting: Map<unknown, Waiting>, name: string | undefined) {
    this.revision = revision;
    this.#wire = wire;
    this.#waiting = waiting;
    this.#name = name;
  }

  /**
   * Connects, and before 2026-07-28 shakes hands.
   * @param name with it, the client answers what servers ask of it, in this name
   */
  static async connect(revision: string, open: OpenWire, name?: string): Promise<RawClient> {
    const waiting = new Map<unknown, Waiting>();
    let take = (_message: Message): void => {};
    const wire = await open((message) => {
      take(message);
    });
    const client = new RawClient(revision, wire, waiting, name);
    take = (message) => {
      client.#take(message);
    };
    if (revision >= MODERN) return client;
    const { protocolVersion, ...met } = await client.request("initialize", {
      protocolVersion: revision,
      capabilities: name === undefined ? {} : capabilitiesOf(revision),
      clientInfo: CLIENT_INFO,
    });
    if (protocolVersion !== revision) throw new Error(`asked for ${revision}, got ${String(protocolVersion)}`);
    client.server = met["serverInfo"] as Members;
    client.capabilities = met["capabilities"] as Members;
    await wire.send({ jsonrpc: "2.0", method: "notifications/initialized" });
    await wire.listen(revision);
    client.restartIds();
    return client;
  }

  /** What the gateway settles on with a client that begins with `revision`. */
  static async settles(revision: string, open: OpenWire): Promise<unknown> {
    let answer = (_message: Message): void => {};
    const answered = new Promise<Message>((resolve) => {
      answer = resolve;
    });
    const wire = await open((message) => {
      answer(message);
    });
    const params = { protocolVersion: revision, capabilities: {}, clientInfo: CLIENT_INFO };
    await wire.send({ jsonrpc: "2.0", id: 0, method: "initialize", params });
    const { result } = await answered;
    await wire.close();
    return result?.["protocolVersion"];
  }

  /** The result. @throws AnsweredError for an error; an error that says why when `signal` is aborted */
  async request(method: string, params: Members, options: RequestOptions = {}): Promise<Members> {
    const { result, error } = await this.exchange(method, params, options);
    if (error !== undefined) throw new AnsweredError(error);
    return result ?? {};
  }

  /** The answer, whatever it is. */
  async exchange(method: string, params: Members, { signal, onProgress }: RequestOptions = {}): Promise<Answered> {
    const id = this.#nextId++;
    const message = this.messageOf(id, method, params, onProgress !== undefined);
    let answer = (_message: Message): void => {};
    const answered = new Promise<Message>((resolve) => {
      answer = resolve;
    });
    this.#waiting.set(id, { onProgress, answer });
    try {
      const cancelled = signal === undefined ? undefined : this.#cancelWith(signal, id);
      const sending = this.#wire.send(message, this.#wire.cancelsByMessage ? undefined : signal);
      const { result, error } = await Promise.race([answered, failed(sending), ...(cancelled ? [cancelled] : [])]);
      // Over HTTP the status is known by now: the answer came with it.
      const status = await sending;
      return { status, ...(result === undefined ? {} : { result }), ...(error === undefined ? {} : { error }) };
    } finally {
      this.#waiting.delete(id);
    }
  }

  /** Sends what is given, as it is: the answers to `ids`, where `null` is the answer to what could not be read, and the status. */
  async sendAs(
    sent: object,
    ids: readonly unknown[],
  ): Promise<{ readonly status: number | undefined; readonly answers: readonly Message[] }> {
    const answers = ids.map(
      async (id) =>
        new Promise<Message>((answer) => {
          this.#waiting.set(id, { onProgress: undefined, answer });
        }),
    );
    const status = await this.#wire.send(sent);
    return { status, answers: await Promise.all(answers) };
  }

  /** A request of this client's revision. */
  messageOf(id: unknown, method: string, params: Members, wantsProgress = false): object {
    const own = {
      ...(params["_meta"] as Members | undefined),
      ...(wantsProgress ? { progressToken: id } : {}),
      ...(this.revision < MODERN
        ? {}
        : {
            "io.modelcontextprotocol/protocolVersion": this.revision,
            "io.modelcontextprotocol/clientInfo": CLIENT_INFO,
            "io.modelcontextprotocol/clientCapabilities": {},
          }),
    };
    const meta = Object.keys(own).length === 0 ? {} : { _meta: own };
    return { jsonrpc: "2.0", id, method, params: { ...params, ...meta } };
  }

  /** Begins with id 0 again, as every client does: nothing is under way. */
  restartIds(): void {
    this.#nextId = 0;
    this.#givenUp.clear();
    this.late.length = 0;
  }

  async close(): Promise<void> {
    await this.#wire.close();
  }

  async #cancelWith(signal: AbortSignal, requestId: number): Promise<never> {
    return new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => {
        this.#givenUp.add(requestId);
        reject(new Error(String(signal.reason)));
        if (!this.#wire.cancelsByMessage) return;
        const params = { requestId, reason: String(signal.reason) };
        void this.#wire.send({ jsonrpc: "2.0", method: "notifications/cancelled", params });
      });
    });
  }

  #take(message: Message): void {
    const { id, method, params = {} } = message;
    if (method === undefined) this.#of(id ?? null, message)?.answer(message);
    else if (method === "notifications/progress") this.#of(params["progressToken"], message)?.onProgress?.(params);
    else if (id === undefined) this.heard.push({ method, params });
    else this.#answer(id, method);
  }

  /** Answers a request of a server's. */
  #answer(id: unknown, method: string): void {
    const result = this.#name === undefined ? undefined : answerTo(this.#name, method);
    const error = { code: -32_601, message: `Method not found: ${method}` };
    void this.#wire.send({ jsonrpc: "2.0", id, ...(result === undefined ? { error } : { result }) });
  }

  /** The request that a message is of, if it is waited for. */
  #of(id: unknown, message: Message): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) (this.#givenUp.has(id) ? this.late : this.strays).push(message);
    return waiting;
  }
}

/** Only its failure counts: the answer itself comes another way. */
const failed = async (sending: Promise<unknown>): Promise<never> =>
  new Promise((_resolve, reject) => {
    sending.catch(reject);
  });
