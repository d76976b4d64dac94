// `pnpm check:metrics`: promtool looks at what a running gateway exposes, at the alert rules, their tests, and every query
// of the dashboard. Without promtool it says so and ends well, except where CI runs it.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { dashboardQueries, recordingRules } from "./dashboard-queries.mjs";
import { scrapeMeasuredGateway } from "./measured-gateway.mjs";
import { findPromtool } from "./promtool.mjs";
import { build, bundle, root } from "./workspace.mjs";

const MONITORING = path.join(root, "docs/monitoring");
const scratch = mkdtempSync(path.join(tmpdir(), "cortex-promtool-"));
/** What the gateway must have been seen to tell, or the check would be one of nothing. */
const TOLD = [
  'brainwav_mcp_connector_proxy_up{connector="gone"} 0',
  'brainwav_mcp_connector_enabled{connector="off"} 0',
  'brainwav_mcp_calls_total{connector="docs",method="tools/call",outcome="answered"} 1',
  'brainwav_mcp_calls_total{connector="child",method="tools/call",outcome="answered"} 1',
  'brainwav_mcp_calls_total{connector="web",method="tools/call",outcome="cancelled"} 1',
  'brainwav_mcp_requests_total{era="legacy",method="other",outcome="failed"} 1',
  'brainwav_mcp_requests_total{era="modern",method="prompts/list",outcome="answered"} 1',
  'brainwav_mcp_errors_total{code="TOOL_UNKNOWN"} 1',
  'brainwav_mcp_rejected_requests_total{reason="host"} 1',
  'brainwav_mcp_connectors{source="map",state="down"} 1',
  "brainwav_mcp_client_sessions 1",
  "brainwav_mcp_registry_readable 1",
  "brainwav_mcp_registry_flush_failures_total 0",
  "brainwav_mcp_service_map_stale 0",
];

function promtoolOrNone() {
  try {
    return findPromtool(path.join(root, "node_modules/.cache/promtool"));
  } catch (error) {
    const why = error instanceof Error ? error.message.trim() : String(error);
    console.log(`There is no promtool, and none can be had: ${why}. Install Debian's package prometheus.`);
    return undefined;
  }
}

/**
 * @param {string} name
 * @param {string} promtool
 * @param {readonly string[]} args
 * @param {string} [input]
 */
function check(name, promtool, args, input = "") {
  const { status, stdout, stderr, error } = spawnSync(promtool, args, { input, encoding: "utf8", cwd: MONITORING });
  // `check metrics` prints what it does not like, and may still exit with 0.
  const output = `${stdout ?? ""}${stderr ?? ""}${error?.message ?? ""}`.trim();
  const ok = status === 0 && (args[1] !== "metrics" || output === "");
  console.log(`${ok ? "ok  " : "FAIL"} ${name}`);
  if (!ok) console.log(output);
  return ok;
}

async function verdict() {
  const promtool = promtoolOrNone();
  if (promtool === undefined) return process.env["CI"] === "true" ? 1 : 0;
  const built = (await build(["apps/cortex-mcp", "examples/fixture-server"])) || (await bundle());
  if (built !== 0) return built;
  const metrics = await scrapeMeasuredGateway();
  const missing = TOLD.filter((line) => !metrics.includes(line));
  if (missing.length > 0) console.log(`FAIL the gateway did not say:\n${missing.join("\n")}\n\n${metrics}`);
  const queries = dashboardQueries(readFileSync(path.join(MONITORING, "grafana-dashboard.json"), "utf8"));
  const rules = path.join(scratch, "dashboard.json");
  writeFileSync(rules, recordingRules(queries));
  const outcomes = [
    missing.length === 0,
    check("the metrics of a running gateway", promtool, ["check", "metrics"], metrics),
    check("the alert rules", promtool, ["check", "rules", "alerts.yml"]),
    check("what the alert rules promise", promtool, ["test", "rules", "alerts.test.yml"]),
    check(`${queries.length} queries of the dashboard`, promtool, ["check", "rules", rules]),
  ];
  const failed = outcomes.filter((ok) => !ok).length;
  console.log(`metrics: ${outcomes.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

try {
  process.exitCode = await verdict();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
