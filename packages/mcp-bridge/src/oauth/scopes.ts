/** All scopes of several lists with blanks between them, each once, in the order in which they come; `undefined` when there is none. */
export function scopeUnion(...lists: readonly (string | undefined)[]): string | undefined {
  const scopes = new Set(lists.flatMap((list) => list?.split(/\s+/).filter(Boolean) ?? []));
  return scopes.size === 0 ? undefined : [...scopes].join(" ");
}

/** Whether `wanted` has a scope that `had` lacks. */
export function isMore(wanted: string | undefined, had: string | undefined): boolean {
  const known = new Set(had?.split(/\s+/));
  return wanted?.split(/\s+/).some((scope) => scope !== "" && !known.has(scope)) === true;
}
