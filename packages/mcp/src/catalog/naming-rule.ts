import { distinctToolName, publicToolName, type NamePolicy } from "@cortex-os/mcp-core";
import { isOwnUri, ownUri, ownUriTemplate } from "./own-uri.js";

/** Makes a name of a connector's key and what the upstream calls an entry. */
export type NameOf = (connector: string, own: string) => string;

/** How the entries of a list come by the names under which clients see them. */
export interface NamingRule {
  /** The name of an entry that shares it with no other. */
  readonly alone: NameOf;
  /** The names, the best first, for one whose first name others have as well; absent when there are none and all are refused. The last one is taken in any case. */
  readonly among?: readonly NameOf[];
}

/** Tools and prompts (design.md, decision 4): under `auto`, whatever shares its name with another one gets its connector's key in front, and a digest where that is what yet another one is called. */
export function namedBy(policy: NamePolicy): NamingRule {
  const long: NameOf = (connector, own) => publicToolName(connector, own, policy, true);
  if (policy.prefix === "always") return { alone: long };
  const short: NameOf = (connector, own) => publicToolName(connector, own, policy, false);
  if (policy.prefix === "never") return { alone: short };
  return { alone: short, among: [long, (connector, own) => distinctToolName(connector, own, policy)] };
}

/** Resources: their own URI, or one that says whose it is when two connectors have the same, or one of them speaks in the name of our addresses. */
export const LOCATED: NamingRule = located(ownUri);

/** The same for URI templates. */
export const LOCATED_TEMPLATES: NamingRule = located(ownUriTemplate);

/** The lists of one connector as it gave them. */
export const OWN_NAMES: NamingRule = { alone: (_connector, own) => own };

function located(addressed: NameOf): NamingRule {
  return { alone: (connector, own) => (isOwnUri(own) ? addressed(connector, own) : own), among: [addressed] };
}
