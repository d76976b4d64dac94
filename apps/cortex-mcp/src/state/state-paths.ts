import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import path from "node:path";
import { mcpHome, registryPath } from "@cortex-os/mcp-registry";

/** Longest socket path in bytes; Node 20 silently cuts longer ones at 107 (Linux) or 103 (macOS). */
const LONGEST_SOCKET_PATH = 100;

/** Where everything of one home lives (design.md, contracts: State). */
export interface StatePaths {
  /** `<home>/mcp`. */
  readonly folder: string;
  readonly registry: string;
  readonly config: string;
  /** The service maps that were accepted. */
  readonly serviceMap: string;
  /** The folder of what connectors listed last. */
  readonly catalog: string;
  /** The folder of what servers are authorised with, one file each. */
  readonly tokens: string;
  /** Who runs: pid, URL, version. */
  readonly gatewayFile: string;
  /** The control socket. */
  readonly socket: string;
  /** The folder to be made private for the socket, when the socket's own path would be too long. */
  readonly runtimeFolder?: string;
}

type Env = Readonly<Record<string, string | undefined>>;

/** The paths of the home that `env` names. Touches no file. */
export function statePaths(env: Env): StatePaths {
  const folder = mcpHome(env);
  const common = {
    folder,
    registry: registryPath(env),
    config: path.join(folder, "config.json"),
    serviceMap: path.join(folder, "state", "service-map.json"),
    catalog: path.join(folder, "state", "catalog"),
    tokens: path.join(folder, "state", "oauth"),
    gatewayFile: path.join(folder, "gateway.json"),
  };
  const socket = path.join(folder, "gateway.sock");
  if (Buffer.byteLength(socket) <= LONGEST_SOCKET_PATH) return { ...common, socket };
  const runtimeFolder = runtimeFolderOf(env);
  const digest = createHash("sha256").update(path.resolve(folder)).digest("hex").slice(0, 16);
  return { ...common, socket: path.join(runtimeFolder, `${digest}.sock`), runtimeFolder };
}

function runtimeFolderOf(env: Env): string {
  const own = env["XDG_RUNTIME_DIR"];
  if (own !== undefined && path.isAbsolute(own)) return path.join(own, "cortex-mcp");
  return path.join(tmpdir(), `cortex-mcp-${process.getuid?.() ?? "user"}`);
}
