// The queries of a Grafana dashboard, as rules that promtool can read.

/**
 * Every query of a dashboard, with its variables filled in.
 *
 * @param {string} text the dashboard's JSON
 * @returns {readonly string[]}
 */
export function dashboardQueries(text) {
  return expressions(JSON.parse(text)).map((query) =>
    query.replaceAll("$__rate_interval", "5m").replaceAll(/\$(?:\{\w+\}|\w+)/g, "x"),
  );
}

/**
 * @param {unknown} value
 * @returns {string[]}
 */
function expressions(value) {
  if (Array.isArray(value)) return value.flatMap(expressions);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    name === "expr" && typeof member === "string" ? [member] : expressions(member),
  );
}

/**
 * A rule file that records each query: JSON, which is YAML.
 *
 * @param {readonly string[]} queries
 */
export function recordingRules(queries) {
  const rules = queries.map((expr, index) => ({ record: `dashboard:query:${index}`, expr }));
  return JSON.stringify({ groups: [{ name: "dashboard", rules }] });
}
