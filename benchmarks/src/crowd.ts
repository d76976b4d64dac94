import { connect, type Socket } from "node:net";
import { nowMs, type ClientKind, type Heard } from "./many-heard.js";

const AT_A_TIME = 50;
const BUCKET_MS = 10;

const META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "benchmark", version: "1.0.0" },
  "io.modelcontextprotocol/clientCapabilities": {},
};

/** Many clients of one gateway in this process: it opens their streams, a few at a time, and counts what they are told. */
export class Crowd {
  readonly #gateway: URL;
  readonly #count: number;
  readonly #kind: ClientKind;
  #heardAt: number[] = [];
  readonly #told = new Set<number>();

  constructor(gateway: string, count: number, kind: ClientKind) {
    this.#gateway = new URL(gateway);
    this.#count = count;
    this.#kind = kind;
  }

  /** Resolves when all are there. */
  async open(): Promise<void> {
    let next = 0;
    await Promise.all(
      Array.from({ length: AT_A_TIME }, async () => {
        while (next < this.#count) await this.#open(next++);
      }),
    );
  }

  /** Begins to count anew. */
  forget(): void {
    this.#heardAt = [];
    this.#told.clear();
  }

  /** What they were told since. */
  heard(): Heard {
    const counts = new Map<number, number>();
    for (const at of this.#heardAt) {
      const bucket = Math.floor(at / BUCKET_MS);
      counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
    }
    return {
      clients: this.#count,
      told: this.#told.size,
      notices: this.#heardAt.length,
      firstMs: this.#heardAt[0] ?? 0,
      lastMs: this.#heardAt.at(-1) ?? 0,
      most: [...counts.values()].reduce((a, b) => Math.max(a, b), 0),
    };
  }

  async #open(client: number): Promise<void> {
    if (this.#kind === "listeners") {
      const { socket } = await this.#exchange(this.#listen(), /acknowledged[^\n]*\n\n/);
      this.#hear(socket, client);
      return;
    }
    const { socket, match } = await this.#exchange(this.#initialize(), /mcp-session-id: (\S+)[^]*"serverInfo"[^]*\}/i);
    const session = [`mcp-session-id: ${match[1]}`, "mcp-protocol-version: 2025-11-25"];
    if (this.#kind === "silent-sessions") socket.destroy();
    else this.#hear((await this.#exchange(this.#request("GET", session), /200 OK[^]*\r\n\r\n/, socket)).socket, client);
  }

  #hear(socket: Socket, client: number): void {
    socket.on("data", (chunk: Buffer) => {
      if (!chunk.includes("list_changed")) return;
      this.#heardAt.push(nowMs());
      this.#told.add(client);
    });
  }

  #listen(): string {
    return this.#post(
      { method: "subscriptions/listen", params: { notifications: { toolsListChanged: true }, _meta: META } },
      ["mcp-protocol-version: 2026-07-28", "mcp-method: subscriptions/listen"],
    );
  }

  #initialize(): string {
    return this.#post(
      {
        method: "initialize",
        params: {
          protocolVersion: "2025-11-25",
          capabilities: {},
          clientInfo: { name: "benchmark", version: "1.0.0" },
        },
      },
      [],
    );
  }

  #post(message: object, headers: readonly string[]): string {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, ...message });
    return this.#request("POST", [
      "content-type: application/json",
      `content-length: ${Buffer.byteLength(body)}`,
      ...headers,
    ]).concat(body);
  }

  #request(method: string, headers: readonly string[]): string {
    const { pathname, host } = this.#gateway;
    const lines = [`${method} ${pathname} HTTP/1.1`, `host: ${host}`];
    return [...lines, "accept: application/json, text/event-stream", ...headers, "", ""].join("\r\n");
  }

  /** Opens a connection, sends `text` and resolves with what came until it matches. */
  async #exchange(
    text: string,
    until: RegExp,
    socket: Socket = connect(Number(this.#gateway.port), this.#gateway.hostname),
  ) {
    return new Promise<{ readonly socket: Socket; readonly match: RegExpExecArray }>((resolve, reject) => {
      let came = "";
      const onData = (chunk: Buffer): void => {
        came += chunk.toString("latin1");
        const match = until.exec(came);
        if (match === null) return;
        socket.off("data", onData);
        socket.off("close", onClose);
        resolve({ socket, match });
      };
      const onClose = (): void => reject(new Error(`the connection ended: ${came.slice(0, 500)}`));
      socket.on("data", onData);
      socket.on("error", () => {});
      socket.on("close", onClose);
      socket.write(text);
    });
  }
}
