import { chmod } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { GatewayError } from "@cortex-os/mcp-core";

/** Where a server listens. */
export type ListenPlace = { readonly host: string; readonly port: number } | { readonly socketPath: string };

/** The control socket is for its owner (design.md, contracts: State). */
const SOCKET_MODE = 0o600;

/**
 * Finds out whether a port can be had, by having it for a moment: for who must give up something before it listens.
 * @throws GatewayError USER_INPUT when it is taken or may not be used
 */
export async function probePort(host: string, port: number): Promise<void> {
  const server = createServer();
  await listen(server, { host, port });
  await closed(server);
}

/**
 * Resolves when `server` accepts connections there.
 * @throws GatewayError USER_INPUT when the port or socket is taken or may not be used
 */
export async function listen(server: Server, where: ListenPlace): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      reject(listenError(error, where));
    };
    server.once("error", onError);
    server.once("listening", () => {
      server.off("error", onError);
      resolve();
    });
    if ("socketPath" in where) server.listen(where.socketPath);
    else server.listen(where.port, where.host);
  });
  if ("socketPath" in where) await chmod(where.socketPath, SOCKET_MODE);
}

function listenError(error: NodeJS.ErrnoException, where: ListenPlace): GatewayError {
  const place = "socketPath" in where ? `the socket ${where.socketPath}` : `${where.host}:${where.port}`;
  const why: Record<string, string> = {
    EADDRINUSE: "it is taken; stop what uses it or choose another with --port",
    EACCES: "this user may not use it; choose another with --port",
    EADDRNOTAVAIL: "this machine has no such address; choose another with --host",
    ENOTFOUND: "this host name is not known; choose another with --host",
  };
  const reason = why[error.code ?? ""] ?? error.message;
  return new GatewayError("USER_INPUT", `Cannot listen on ${place}: ${reason}`, { cause: error });
}

/** Resolves when `server` has no connection any more, and accepts none. */
export async function closed(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}
