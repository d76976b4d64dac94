import { CODE, RpcFailure } from "./rpc-failure.js";
import { mirroredParams, type MirroredParam } from "./param-headers.js";
import type { Tool, ToolDefinition } from "./tools/tool.js";

/** A tool with what is worked out once when it comes. */
export interface TableEntry {
  readonly tool: Tool;
  readonly mirrored: readonly MirroredParam[];
}

/** One page of `tools/list`. */
export interface ToolPage {
  readonly tools: readonly ToolDefinition[];
  readonly nextCursor?: string;
}

const CURSOR_PREFIX = "after:";

/** The tools there are, which may come and go at run time. One table serves every client: it never varies by caller. */
export class ToolTable {
  readonly #entries = new Map<string, TableEntry>();
  readonly #listeners = new Set<() => void>();
  #sorted: readonly ToolDefinition[] | undefined;

  get(name: string): TableEntry | undefined {
    return this.#entries.get(name);
  }

  add(...tools: readonly Tool[]): void {
    for (const tool of tools) {
      this.#entries.set(tool.definition.name, { tool, mirrored: mirroredParams(tool.definition.inputSchema) });
    }
    this.#changed();
  }

  remove(name: string): void {
    if (this.#entries.delete(name)) this.#changed();
  }

  /** Calls `listener` after every change. The returned function ends that. */
  onChanged(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /**
   * A page of the list, in the order of the names' UTF-16 code units. A cursor holds the last name of the page before it,
   * so it stays good when tools come and go.
   * @throws RpcFailure −32602 when the cursor is none of ours
   */
  page(cursor: string | undefined, size: number): ToolPage {
    const after = cursor === undefined ? undefined : lastNameOf(cursor);
    const all = this.#list();
    const start = after === undefined ? 0 : firstAfter(all, after);
    const tools = all.slice(start, start + size);
    const last = tools.at(-1);
    if (last === undefined || start + size >= all.length) return { tools };
    return { tools, nextCursor: Buffer.from(CURSOR_PREFIX + last.name).toString("base64url") };
  }

  #list(): readonly ToolDefinition[] {
    this.#sorted ??= [...this.#entries.values()]
      .map(({ tool }) => tool.definition)
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
    return this.#sorted;
  }

  #changed(): void {
    this.#sorted = undefined;
    for (const listener of this.#listeners) listener();
  }
}

function lastNameOf(cursor: string): string {
  const text = Buffer.from(cursor, "base64url").toString("utf8");
  if (!text.startsWith(CURSOR_PREFIX)) {
    throw new RpcFailure(CODE.invalidParams, "Unknown cursor: start again from the first page");
  }
  return text.slice(CURSOR_PREFIX.length);
}

function firstAfter(sorted: readonly ToolDefinition[], name: string): number {
  const found = sorted.findIndex((definition) => definition.name > name);
  return found === -1 ? sorted.length : found;
}
