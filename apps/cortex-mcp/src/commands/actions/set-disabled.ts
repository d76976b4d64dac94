import type { Io } from "../../io.js";
import { openRegistry } from "../../registry.js";
import { reportChange } from "../change.js";
import { findOwnServer } from "../find-server.js";

/** Sets or lifts `disabled` on an entry and says so; an entry that is so already is left alone. Resolves with the exit code. */
export async function setDisabled(io: Io, name: string, disabled: boolean, json: boolean): Promise<number> {
  const registry = openRegistry(io);
  const { disabled: before = false, ...rest } = await findOwnServer(io, registry, name);
  const entry = disabled ? { ...rest, disabled } : rest;
  const state = disabled ? "disabled" : "enabled";
  const shown = JSON.stringify(name);
  if (before === disabled) {
    await reportChange(io, { verb: "unchanged", text: `${shown} is ${state} already.`, entry }, json);
    return 0;
  }
  await registry.put(entry);
  await reportChange(io, { verb: state, text: `${disabled ? "Disabled" : "Enabled"} ${shown}.`, entry }, json);
  return 0;
}
