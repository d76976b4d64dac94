import type { Timers } from "@cortex-os/mcp-core";
import type { CallCounters } from "../call-counters.js";
import type { ToolTable } from "../tool-table.js";
import { add } from "./add.js";
import { cancelled } from "./cancelled.js";
import { content } from "./content.js";
import { crash } from "./crash.js";
import { echo } from "./echo.js";
import { fail } from "./fail.js";
import { generatedTools } from "./generated.js";
import { large } from "./large.js";
import { slow } from "./slow.js";
import { toggle } from "./toggle.js";
import type { Tool } from "./tool.js";
import { whoami } from "./whoami.js";

/** What the tools need from outside. */
export interface BuiltinDeps {
  readonly timers: Timers;
  readonly counters: CallCounters;
  /** The table the tools go into: `toggle` changes it. */
  readonly table: ToolTable;
  /** How many generated tools to add. */
  readonly extraTools: number;
  /** Ends the process; without it there is no tool `crash`. */
  readonly exit: (() => void) | undefined;
}

/** Every tool the server starts with. */
export const builtinTools = ({ timers, counters, table, extraTools, exit }: BuiltinDeps): Tool[] => [
  echo,
  add,
  slow(timers),
  large,
  fail,
  whoami,
  toggle(table),
  content,
  cancelled(counters),
  ...(exit === undefined ? [] : [crash(exit)]),
  ...generatedTools(extraTools),
];
