import type { Timers } from "@cortex-os/mcp-core";
import type { CallCounters } from "../call-counters.js";
import type { Changes } from "../changes.js";
import type { ListTable } from "../list-table.js";
import type { Prompt } from "../prompts/prompt.js";
import type { Resource } from "../resources/resource.js";
import { add } from "./add.js";
import { ask } from "./ask.js";
import { cancelled } from "./cancelled.js";
import { content } from "./content.js";
import { crash } from "./crash.js";
import { echo } from "./echo.js";
import { fail } from "./fail.js";
import { generatedTools } from "./generated.js";
import { invalidHeaders } from "./invalid-headers.js";
import { large } from "./large.js";
import { log } from "./log.js";
import { slow } from "./slow.js";
import { toggle } from "./toggle.js";
import { togglePrompt } from "./toggle-prompt.js";
import { toggleResource } from "./toggle-resource.js";
import type { Tool } from "./tool.js";
import { touch } from "./touch.js";
import { whoami } from "./whoami.js";

/** What the tools need from outside. */
export interface BuiltinDeps {
  readonly timers: Timers;
  readonly counters: CallCounters;
  readonly changes: Changes;
  readonly serverName: string;
  /** The table the tools go into: `toggle` changes it. */
  readonly tools: ListTable<Tool>;
  /** Without it there is no tool that changes resources. */
  readonly resources: ListTable<Resource> | undefined;
  /** Without it there is no tool that changes prompts. */
  readonly prompts: ListTable<Prompt> | undefined;
  /** Whether there is a tool `log`. */
  readonly logging: boolean;
  /** How many generated tools to add. */
  readonly extraTools: number;
  /** Whether to add tools whose `x-mcp-header` breaks the rules. */
  readonly invalidHeaders: boolean;
  /** Ends the process; without it there is no tool `crash`. */
  readonly exit: (() => void) | undefined;
}

/** Every tool the server starts with. */
export const builtinTools = (deps: BuiltinDeps): Tool[] => [
  echo,
  add,
  slow(deps.timers),
  large,
  fail,
  whoami,
  toggle(deps.tools),
  content(deps.serverName),
  ask,
  cancelled(deps.counters),
  ...(deps.resources === undefined
    ? []
    : [touch(deps.resources, deps.changes, deps.serverName), toggleResource(deps.resources, deps.serverName)]),
  ...(deps.prompts === undefined ? [] : [togglePrompt(deps.prompts)]),
  ...(deps.logging ? [log] : []),
  ...(deps.exit === undefined ? [] : [crash(deps.exit)]),
  ...(deps.invalidHeaders ? invalidHeaders : []),
  ...generatedTools(deps.extraTools),
];
