import { setAsideOf, type RegistryDocument, type SetAsideEntry } from "./registry-file.js";

/** One thing in a registry file that is not served: an element of `servers`, or the file's own shape. */
export type Problem = { readonly entry: SetAsideEntry } | { readonly reason: string };

/** What is wrong with a registry that can be read, each for people to read; empty when all is well. Holds no values. */
export function problemsOf(document: RegistryDocument): readonly string[] {
  return partsSetAside(document).map((problem) => {
    if ("reason" in problem) return problem.reason;
    const { index, name, reason } = problem.entry;
    return `servers[${index}]${name === undefined ? "" : ` (${JSON.stringify(name)})`} is not served: ${reason}`;
  });
}

/** What is wrong with a registry that can be read, in the order of the file. */
export function partsSetAside(document: RegistryDocument): readonly Problem[] {
  const { members, items } = document;
  if (items.length > 0 || Object.hasOwn(members, "servers") || !Object.hasOwn(members, "mcpServers")) {
    return setAsideOf(document).map((entry) => ({ entry }));
  }
  // How most clients' files name them; there they are an object by name, so that renaming alone would not do.
  const way = "add each of them with cortex-mcp add-json, or make a list named servers of them";
  return [{ reason: `it has mcpServers but no servers, so nothing is served; ${way}` }];
}
