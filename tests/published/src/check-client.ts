import { mismatch } from "./expected.js";
import { fillIn } from "./fill-in.js";
import type { PublishedServer } from "./published-server.js";
import type { RealClient } from "./real-clients.js";

/** What one client saw of one server. A missing problem is a success. */
export interface ClientView {
  /** How many tools of the server are in the client's list. */
  readonly tools: number;
  readonly listProblem?: string;
  readonly callProblem?: string;
  /** From the request to the parsed result, in milliseconds. */
  readonly callMs: number;
}

/**
 * Lists once and calls each server's tool, one after the other.
 * @param folderOf the folder that a server works in
 * @returns the views in the order of `servers`
 */
export async function checkClient(
  client: RealClient,
  servers: readonly PublishedServer[],
  folderOf: (server: PublishedServer) => string,
): Promise<readonly ClientView[]> {
  const listed = await client.tools();
  const views: ClientView[] = [];
  for (const server of servers) {
    const names = listed.filter((name) => name.startsWith(publicName(server, "")));
    const startedAt = performance.now();
    const callProblem = await problemOfCall(client, server, folderOf(server));
    const callMs = performance.now() - startedAt;
    const listProblem = problemOfList(names, server);
    views.push({
      tools: names.length,
      callMs,
      ...(listProblem === undefined ? {} : { listProblem }),
      ...(callProblem === undefined ? {} : { callProblem }),
    });
  }
  return views;
}

/** The name under which the gateway shows a server's tool, as long as it is short and plain. */
export const publicName = ({ name }: PublishedServer, tool: string): string => `${name}__${tool}`;

/** Why these names are not the server's list, or nothing. */
export function problemOfList(names: readonly string[], server: PublishedServer): string | undefined {
  const wanted = publicName(server, server.call.tool);
  if (!names.includes(wanted)) return `${wanted} is not in the list`;
  return names.length === server.tools ? undefined : `expected ${server.tools} tools, got ${names.length}`;
}

async function problemOfCall(client: RealClient, server: PublishedServer, folder: string): Promise<string | undefined> {
  const { tool, arguments: args, expected } = fillIn(server.call, folder);
  try {
    return mismatch(await client.call(publicName(server, tool), args), expected);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
