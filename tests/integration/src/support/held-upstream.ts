import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { startFixtureHttp } from "@cortex-os/fixture-server";
import { onTestFinished } from "vitest";

/** A server that takes connections at once, and answers nothing until the test lets it. */
export interface HeldUpstream {
  readonly url: string;
  /** How many connections were made to it. */
  readonly connections: () => number;
  /** Answers from now on, also what came before. */
  release(): void;
}

/** Starts one of which the test says when it has started; it is gone after the test. */
export async function heldUpstream(): Promise<HeldUpstream> {
  const fixture = await startFixtureHttp({ extraTools: 2 });
  const sockets = new Set<Socket>();
  const held = new Set<() => void>();
  let isHeld = true;
  let connections = 0;
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on("error", () => socket.destroy()).on("close", () => sockets.delete(socket));
  };
  const server = createServer((socket) => {
    connections += 1;
    keep(socket);
    const lead = (): void => {
      const behind = keep(connect(fixture.port, "127.0.0.1"));
      socket.pipe(behind).pipe(socket);
    };
    if (isHeld) held.add(lead);
    else lead();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    const closed = once(server, "close");
    server.close();
    await Promise.all([closed, fixture.close()]);
  });
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}/mcp`,
    connections: () => connections,
    release: () => {
      isHeld = false;
      for (const lead of held) lead();
      held.clear();
    },
  };
}
