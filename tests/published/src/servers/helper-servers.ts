import { FOLDER, type PublishedServer } from "../published-server.js";

/** Servers that answer by themselves: sums, times, charts, pages, drawings, styles, thoughts. */
export const HELPER_SERVERS: readonly PublishedServer[] = [
  {
    name: "hello-world",
    package: "mcp-hello-world",
    version: "1.1.2",
    entry: "build/stdio.js",
    tools: 3,
    call: { tool: "add", arguments: { a: 19, b: 23 }, expected: { text: "The sum is: 42" } },
  },
  {
    name: "time",
    package: "time-mcp",
    version: "1.0.6",
    entry: "dist/index.js",
    tools: 6,
    call: {
      tool: "days_in_month",
      arguments: { date: "2024-02-01" },
      expected: { text: "The number of days in month is 29." },
    },
  },
  {
    name: "calc",
    package: "@coo-quack/calc-mcp",
    version: "2.1.1",
    entry: "dist/index.js",
    tools: 21,
    call: {
      tool: "hash",
      arguments: { input: "cortex", algorithm: "sha256" },
      expected: { text: '{"hash":"1ee11af4ed5d63caf142a30a96ba124b1dde039d93b15b69858251295d4a92a6"}' },
    },
  },
  {
    name: "echarts",
    package: "mcp-echarts",
    version: "0.7.1",
    entry: "build/index.js",
    tools: 18,
    call: {
      tool: "generate_pie_chart",
      arguments: { data: [{ category: "Tea", value: 3 }], title: "Cups", outputType: "svg" },
      expected: { includes: ["<svg ", ">Cups</text>", ">Tea</text>"] },
    },
  },
  {
    name: "mcp-pdf",
    package: "@mcp-z/mcp-pdf",
    // Its manifest asks for Node 22.13; it runs on 20, too, and it is one of the first that serve the modern era.
    version: "3.2.2",
    entry: "bin/server.js",
    tools: 5,
    call: {
      tool: "text-measure",
      arguments: { items: [{ text: "Hello", fontSize: 12 }] },
      expected: { structured: { font: "Helvetica", measurements: [{ text: "Hello", width: 27.34, fontSize: 12 }] } },
    },
  },
  {
    name: "drawio",
    package: "@drawio/mcp",
    version: "1.6.1",
    entry: "src/index.js",
    tools: 7,
    call: {
      tool: "list_pages",
      arguments: { path: `${FOLDER}/page.drawio` },
      expected: { includes: ['"id": "road"', '"name": "The road"'] },
    },
  },
  {
    name: "drawio-files",
    package: "drawio-mcp",
    version: "1.6.0",
    entry: "dist/index.js",
    tools: 6,
    call: {
      tool: "new_diagram",
      arguments: { file_path: `${FOLDER}/new.drawio.svg` },
      expected: { text: `Created new diagram: ${FOLDER}/new.drawio.svg` },
    },
  },
  {
    name: "tailwindcss",
    package: "tailwindcss-mcp-server",
    version: "0.1.1",
    entry: "build/index.js",
    tools: 8,
    call: {
      tool: "convert_css_to_tailwind",
      arguments: { css: ".a { display: flex; }", mode: "classes" },
      expected: { includes: ['"tailwindClasses": "flex"'] },
    },
  },
  {
    name: "flowbite",
    package: "flowbite-mcp",
    version: "1.1.5",
    entry: "build/index.js",
    tools: 2,
    call: {
      tool: "generate-theme",
      arguments: { brandColor: "#336699", instructions: "calm" },
      expected: { includes: ["**Brand Color**: #336699", "**500** (Base): #538cc6"] },
    },
  },
  {
    name: "accesslint",
    package: "@accesslint/mcp",
    version: "0.11.1",
    entry: "bin/accesslint-mcp.js",
    tools: 4,
    call: {
      tool: "explain_rule",
      arguments: { id: "text-alternatives/img-alt" },
      expected: { includes: ["Images must have alternate text.", "WCAG: 1.1.1"] },
    },
  },
  {
    name: "thinking-tools",
    package: "mcp-sequentialthinking-tools",
    version: "0.0.3",
    entry: "dist/index.js",
    tools: 1,
    call: {
      tool: "sequentialthinking_tools",
      arguments: {
        thought: "One step is enough.",
        thought_number: 1,
        total_thoughts: 3,
        next_thought_needed: false,
        available_mcp_tools: ["add"],
      },
      expected: { includes: ['"thought_number": 1', '"total_thoughts": 3', '"next_thought_needed": false'] },
    },
  },
];
