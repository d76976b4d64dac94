import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { OAuthPerson, OAuthVisit } from "@cortex-os/mcp-bridge";
import type { Timers } from "@cortex-os/mcp-core";
import { reasonOf, userError } from "../user-error.js";

/** How long a person may take, in milliseconds. */
const CONSENT_MS = 5 * 60_000;
const CALLBACK_PATH = "/callback";

/** What a {@link loopbackPerson} is reached by. */
export interface LoopbackPersonOptions {
  readonly timers: Timers;
  /** @default any free one */
  readonly port?: number;
  /** Sends the browser to `start`, which leads to `url`: no command line holds what an authorization server says. */
  readonly show: (url: URL, start: URL) => void;
  /** Gives up waiting. */
  readonly signal: AbortSignal;
}

/** The person in front of this machine, whose browser comes back to a listener on loopback (RFC 8252, 7.3). */
export function loopbackPerson(options: LoopbackPersonOptions): OAuthPerson {
  return { receive: async () => receive(options) };
}

async function receive(options: LoopbackPersonOptions): Promise<OAuthVisit> {
  const { port = 0 } = options;
  const server = createServer();
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  } catch (error) {
    throw userError(`cannot listen on 127.0.0.1:${port} for the browser to come back: ${reasonOf(error)}`, {
      cause: error,
    });
  }
  const address = server.address();
  const host = `127.0.0.1:${typeof address === "object" && address !== null ? address.port : port}`;
  return {
    redirectUrl: `http://${host}${CALLBACK_PATH}`,
    visit: (url, state) => visited(server, host, { url, state }, options),
    close: async () => {
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Awaited {
  readonly url: URL;
  readonly state: string;
}

async function visited(
  server: Server,
  host: string,
  { url, state }: Awaited,
  { timers, show, signal }: LoopbackPersonOptions,
): Promise<URLSearchParams> {
  const start = new URL(`http://${host}/start/${randomBytes(16).toString("base64url")}`);
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      reject(userError("gave up waiting for the login"));
    };
    const cancel = timers.after(CONSENT_MS, () => {
      reject(userError(`nobody logged in within ${CONSENT_MS / 60_000} minutes`));
    });
    signal.addEventListener("abort", giveUp);
    if (signal.aborted) giveUp();
    server.on("request", (request, response) => {
      const answer = answerOf(request, host, { start, url, state });
      say(response, answer);
      if (answer.params === undefined) return;
      cancel();
      signal.removeEventListener("abort", giveUp);
      resolve(answer.params);
    });
    show(url, start);
  });
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly location?: string;
  /** Set by the browser that was waited for. */
  readonly params?: URLSearchParams;
}

/** A page of another site can send a browser here too: what is not the login that was begun changes nothing. */
function answerOf(
  request: IncomingMessage,
  host: string,
  { start, url, state }: Awaited & { readonly start: URL },
): Answer {
  if (request.headers.host !== host || request.method !== "GET") return { status: 403, text: "This is not for you." };
  const asked = new URL(request.url ?? "/", start);
  if (asked.pathname === start.pathname) return { status: 302, text: "", location: url.href };
  if (asked.pathname !== CALLBACK_PATH) return { status: 404, text: "There is nothing here." };
  if (asked.searchParams.get("state") !== state)
    return { status: 400, text: "This is not the login that cortex-mcp waits for." };
  return { status: 200, text: "cortex-mcp has heard of it. You can close this window.", params: asked.searchParams };
}

function say(response: ServerResponse, { status, text, location }: Answer): void {
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    connection: "close",
    ...(location === undefined ? {} : { location }),
  });
  response.end(text);
}
