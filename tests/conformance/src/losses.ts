import type { Check } from "./checks.js";

/**
 * What a way through the gateway lost: a check that passes directly more often than through, or that fails or warns more
 * often. A line for each, with the suite's own words where it said something.
 */
export function lossesOf(direct: readonly Check[], through: readonly Check[]): readonly string[] {
  const before = grouped(direct);
  const after = grouped(through);
  const lines: string[] = [];
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    const was = before.get(name) ?? [];
    const is = after.get(name) ?? [];
    const count = (checks: readonly Check[], wanted: string): number =>
      checks.filter(({ status }) => status === wanted).length;
    const lost = count(was, "SUCCESS") > count(is, "SUCCESS");
    const worse = ["FAILURE", "WARNING"].some((status) => count(is, status) > count(was, status));
    if (!lost && !worse) continue;
    const words = is.flatMap(({ message }) => (message === undefined ? [] : [message]));
    lines.push(
      `${name}: ${statuses(was)} directly, ${statuses(is)} through the gateway${words.map((word) => `; ${word}`).join("")}`,
    );
  }
  return lines;
}

function grouped(checks: readonly Check[]): ReadonlyMap<string, readonly Check[]> {
  const groups = new Map<string, Check[]>();
  for (const check of checks) {
    const name = `${check.scenario} ${check.id}`;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [check]);
    else group.push(check);
  }
  return groups;
}

const statuses = (checks: readonly Check[]): string =>
  checks.length === 0
    ? "missing"
    : checks
        .map(({ status }) => status)
        .toSorted()
        .join(" ");
