/** Whether a JSON value has more than `levels` lists and objects within each other. Goes no deeper than that, so it can be asked of any value. */
export function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => isDeeperThan(member, levels - 1));
}
