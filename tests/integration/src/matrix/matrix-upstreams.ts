import { startFixtureHttp, startFixtureSse, stdioMainPath } from "@cortex-os/fixture-server";
import type { RunningUpstream } from "../support/running-upstream.js";

/** What kind of server a connector of the matrix is. */
export interface UpstreamKind {
  /** Its key in the registry, and its name in its resources' URIs. */
  readonly key: string;
  /** As the document calls it. */
  readonly title: string;
  readonly revision: string;
  readonly era: "modern" | "legacy";
  readonly transport: "HTTP" | "stdio" | "HTTP+SSE";
  /** Whether it can say something that is no part of an answer: legacy HTTP without sessions cannot. */
  readonly isStateless: boolean;
  /** Whether all clients share one legacy conversation with it, in which a question does not say whom it is for. */
  readonly isShared?: true;
  start(): Promise<RunningUpstream>;
}

/** As many as the matrix has clients, also those at connectors' own addresses, so that each has a resource of its own to watch. */
const EXTRA_RESOURCES = 12;

/** Two busy cores must not fail a test. */
const PATIENT = { connectMs: 60_000 };

const overHttp = async (key: string, options: object): Promise<RunningUpstream> => {
  const server = await startFixtureHttp({ name: key, extraResources: EXTRA_RESOURCES, ...options });
  return { entry: { name: key, endpoint: server.url, timeouts: PATIENT }, close: async () => server.close() };
};

const overStdio = async (key: string, ...era: readonly string[]): Promise<RunningUpstream> => {
  const flags = [...era, "--name", key, "--resources", String(EXTRA_RESOURCES)];
  const args = [stdioMainPath, ...flags];
  return { entry: { name: key, command: process.execPath, args }, close: async () => {} };
};

/** The upstreams of the matrix, newest first. */
export const MATRIX_UPSTREAMS: readonly UpstreamKind[] = [
  {
    ...{
      key: "modern-http",
      revision: "2026-07-28",
      title: "2026-07-28, Streamable HTTP",
      era: "modern",
      transport: "HTTP",
    },
    isStateless: false,
    start: async () => overHttp("modern-http", { era: "modern" }),
  },
  {
    ...{ key: "modern-stdio", revision: "2026-07-28", title: "2026-07-28, stdio", era: "modern", transport: "stdio" },
    isStateless: false,
    start: async () => overStdio("modern-stdio", "--era", "modern"),
  },
  {
    ...{
      key: "legacy-http",
      revision: "2025-06-18",
      title: "2025-06-18, Streamable HTTP with sessions",
      era: "legacy",
      transport: "HTTP",
    },
    isStateless: false,
    start: async () => overHttp("legacy-http", { era: "legacy", revision: "2025-06-18" }),
  },
  {
    ...{
      key: "no-sessions",
      revision: "2025-11-25",
      title: "2025-11-25, Streamable HTTP without sessions",
      era: "legacy",
      transport: "HTTP",
    },
    isStateless: true,
    start: async () => overHttp("no-sessions", { era: "legacy", sessions: false }),
  },
  {
    ...{
      key: "http-sse",
      revision: "2024-11-05",
      title: "2024-11-05, HTTP with SSE",
      era: "legacy",
      transport: "HTTP+SSE",
    },
    isStateless: false,
    start: async () => {
      const server = await startFixtureSse({
        name: "http-sse",
        extraResources: EXTRA_RESOURCES,
        revision: "2024-11-05",
      });
      // As a person would type it: which of the two transports it is the gateway finds out.
      return {
        entry: { name: "http-sse", endpoint: server.url, timeouts: PATIENT },
        close: async () => server.close(),
      };
    },
  },
  {
    ...{ key: "legacy-stdio", revision: "2025-03-26", title: "2025-03-26, stdio", era: "legacy", transport: "stdio" },
    isStateless: false,
    isShared: true,
    start: async () => overStdio("legacy-stdio", "--era", "legacy", "--revision", "2025-03-26"),
  },
];
