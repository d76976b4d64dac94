import type { Io } from "../../io.js";
import { openRegistry } from "../../registry.js";
import { reportChange } from "../change.js";
import { findOwnServer } from "../find-server.js";

/** Takes a server out of the registry and says so. Resolves with the exit code. */
export async function remove(io: Io, name: string, json: boolean): Promise<number> {
  const registry = openRegistry(io);
  const entry = await findOwnServer(io, registry, name);
  await registry.drop(name);
  await reportChange(io, { verb: "removed", text: `Removed ${JSON.stringify(name)}.`, entry }, json);
  return 0;
}
