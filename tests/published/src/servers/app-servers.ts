import { FOLDER, type PublishedServer } from "../published-server.js";

/** The example servers of the MCP Apps extension, of the protocol's own project: the v2 SDK, serving the legacy era. */
export const APP_SERVERS: readonly PublishedServer[] = [
  {
    name: "system-monitor",
    package: "@modelcontextprotocol/server-system-monitor",
    version: "2.0.3",
    entry: "dist/index.js",
    args: ["--stdio"],
    tools: 2,
    call: {
      tool: "get-system-info",
      arguments: {},
      expected: { structured: { arch: process.arch, platform: `${process.platform} ${process.arch}` } },
    },
  },
  {
    name: "budget-allocator",
    package: "@modelcontextprotocol/server-budget-allocator",
    version: "2.0.3",
    entry: "dist/index.js",
    args: ["--stdio"],
    tools: 1,
    call: {
      tool: "get-budget-data",
      arguments: {},
      expected: { includes: ["Default Budget: $100,000", "Engineering: 35% default", "Historical Data: 24 months"] },
    },
  },
  {
    name: "cohort-heatmap",
    package: "@modelcontextprotocol/server-cohort-heatmap",
    version: "2.0.3",
    entry: "dist/index.js",
    args: ["--stdio"],
    tools: 1,
    call: {
      tool: "get-cohort-data",
      arguments: { metric: "retention", periodType: "monthly", cohortCount: 3, maxPeriods: 4 },
      expected: { includes: ["Cohort Analysis: 3 cohorts, 4 periods", "Metric: retention, Period: monthly"] },
    },
  },
  {
    name: "customer-segmentation",
    package: "@modelcontextprotocol/server-customer-segmentation",
    version: "2.0.3",
    entry: "dist/index.js",
    args: ["--stdio"],
    tools: 1,
    call: {
      tool: "get-customer-data",
      arguments: { segment: "Enterprise" },
      expected: { includes: ['{"customers":[{"id":"cust-', '"segment":"Enterprise"'] },
    },
  },
  {
    name: "scenario-modeler",
    package: "@modelcontextprotocol/server-scenario-modeler",
    version: "2.0.3",
    entry: "dist/index.js",
    args: ["--stdio"],
    tools: 1,
    call: {
      tool: "get-scenario-data",
      arguments: {
        customInputs: {
          startingMRR: 100,
          monthlyGrowthRate: 0,
          monthlyChurnRate: 0,
          grossMargin: 80,
          fixedCosts: 50,
        },
      },
      expected: { includes: ["Ending MRR: $100\n", "Total Profit: $360"] },
    },
  },
  {
    name: "sheet-music",
    package: "@modelcontextprotocol/server-sheet-music",
    version: "2.0.3",
    entry: "dist/index.js",
    args: ["--stdio"],
    tools: 1,
    call: {
      tool: "play-sheet-music",
      // Anything that is no ABC notation is answered with `isError`.
      arguments: { abcNotation: "X:1\nT:Scale\nM:4/4\nK:C\nCDEF|" },
      expected: { text: "Input parsed successfully." },
    },
  },
  {
    name: "pdf",
    package: "@modelcontextprotocol/server-pdf",
    version: "2.0.4",
    entry: "dist/index.js",
    args: [`${FOLDER}/page.pdf`, "--stdio"],
    tools: 9,
    call: {
      tool: "read_pdf_bytes",
      arguments: { url: `${FOLDER}/page.pdf`, offset: 0, byteCount: 8 },
      // The file's first eight bytes, `%PDF-1.4`, in Base64.
      expected: { structured: { bytes: "JVBERi0xLjQ=", byteCount: 8, hasMore: true } },
    },
  },
];
