import { once } from "node:events";
import { createServer, request, type IncomingHttpHeaders, type RequestListener, type Server } from "node:http";
import { connect, type Socket } from "node:net";
import { promisify } from "node:util";
import { onTestFinished, vi } from "vitest";

/** Starts a server on a free port of 127.0.0.1; the test fails when it leaves a connection open. */
export async function startServer(listener: RequestListener): Promise<{ server: Server; port: number }> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => closeChecked(server));
  return { server, port: portOf(server) };
}

export function portOf(server: Server): number {
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("not listening on a port");
  return address.port;
}

/** Closes a server; throws when connections that are not idle are open a little later still. */
async function closeChecked(server: Server): Promise<void> {
  const connections = promisify(server.getConnections.bind(server));
  try {
    await vi.waitFor(async () => {
      server.closeIdleConnections();
      const leaked = await connections();
      if (leaked > 0) throw new Error(`the test left ${leaked} connection(s) open`);
    });
  } finally {
    server.close().closeAllConnections();
  }
}

/** What came back. */
export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** One request to send. */
export interface Ask {
  readonly port: number;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
}

/** Sends one request on a connection of its own and reads the whole answer. */
export async function send({ port, method = "GET", path = "/", headers = {}, body }: Ask): Promise<Reply> {
  const sending = request({ host: "127.0.0.1", port, method, path, agent: false, headers: mutable(headers) });
  sending.end(body);
  const [response] = (await once(sending, "response")) as [
    AsyncIterable<Buffer> & { statusCode?: number; headers: IncomingHttpHeaders },
  ];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString("utf8") };
}

const mutable = (headers: Readonly<Record<string, string | readonly string[]>>): Record<string, string | string[]> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === "string" ? value : [...value]]),
  );

/** A connection whose bytes a test writes and reads itself. */
export class RawConnection {
  readonly socket: Socket;
  /** How the connection broke, if it did. */
  failure: Error | undefined;
  #received = "";
  #closed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      this.#received += text;
    });
    socket.on("error", (error) => {
      this.failure = error;
    });
    socket.on("close", () => {
      this.#closed = true;
    });
  }

  static async open(where: number | string): Promise<RawConnection> {
    const socket = typeof where === "number" ? connect(where, "127.0.0.1") : connect(where);
    await once(socket, "connect");
    onTestFinished(() => {
      socket.destroy();
    });
    return new RawConnection(socket);
  }

  /** Everything that came so far. */
  get received(): string {
    return this.#received;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  write(text: string): void {
    this.socket.write(text);
  }

  /** Resolves when what came matches. */
  async until(pattern: RegExp): Promise<string> {
    return vi.waitFor(() => {
      if (!pattern.test(this.#received)) throw new Error(`no ${String(pattern)} in ${JSON.stringify(this.#received)}`);
      return this.#received;
    }, 5_000);
  }

  /** Resolves when the other side closed it. */
  async untilClosed(): Promise<string> {
    return vi.waitFor(() => {
      if (!this.#closed) throw new Error(`still open; got ${JSON.stringify(this.#received.slice(0, 500))}`);
      return this.#received;
    }, 10_000);
  }

  close(): void {
    this.socket.destroy();
  }
}

/** Sends these bytes as they are and reads until the other side closes. */
export async function sendRaw(port: number, bytes: string): Promise<string> {
  const connection = await RawConnection.open(port);
  connection.write(bytes);
  return connection.untilClosed();
}
