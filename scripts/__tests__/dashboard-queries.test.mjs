import { expect, test } from "vitest";
import { dashboardQueries, recordingRules } from "../dashboard-queries.mjs";

test("R15: finds the queries of a dashboard wherever they stand, and fills in its variables", () => {
  const panel = { type: "stat", targets: [{ expr: 'sum(rate(a{job=~"$job"}[$__rate_interval]))' }] };
  const dashboard = {
    annotations: { list: [{ expr: "b > 0" }] },
    panels: [panel, { panels: [{ targets: [{ expr: "c" }] }] }],
  };
  expect(dashboardQueries(JSON.stringify(dashboard))).toEqual(["b > 0", 'sum(rate(a{job=~"x"}[5m]))', "c"]);
});

test("R15: makes a rule of each query, under a name of its own", () => {
  expect(JSON.parse(recordingRules(["a", "b"]))).toEqual({
    groups: [
      {
        name: "dashboard",
        rules: [
          { record: "dashboard:query:0", expr: "a" },
          { record: "dashboard:query:1", expr: "b" },
        ],
      },
    ],
  });
});
