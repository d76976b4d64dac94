import type { Timers } from "@cortex-os/mcp-core";
import type { Tables } from "../tables.js";
import { conformancePrompts } from "./conformance-prompts.js";
import { conformanceResources, conformanceTemplate } from "./conformance-resources.js";
import { conformanceTools } from "./conformance-tools.js";

/** Adds what the official conformance suite asks for by name. */
export function addConformance(
  { tools, resources, templates, prompts }: Tables,
  timers: Timers,
  serverName: string,
): void {
  tools.add(...conformanceTools(timers, tools, prompts));
  resources.add(...conformanceResources(serverName));
  templates.add(conformanceTemplate);
  prompts.add(...conformancePrompts);
}
