import { FOLDER, type PublishedServer } from "../published-server.js";

/** The reference servers of the protocol's own project. */
export const REFERENCE_SERVERS: readonly PublishedServer[] = [
  {
    name: "everything",
    package: "@modelcontextprotocol/server-everything",
    version: "2026.8.31",
    entry: "dist/index.js",
    args: ["stdio"],
    tools: 13,
    call: {
      tool: "get-structured-content",
      arguments: { location: "Chicago" },
      expected: { structured: { temperature: 36, conditions: "Light rain / drizzle", humidity: 82 } },
    },
  },
  {
    name: "filesystem",
    package: "@modelcontextprotocol/server-filesystem",
    version: "2026.8.31",
    entry: "dist/index.js",
    args: [FOLDER],
    tools: 14,
    call: {
      tool: "read_text_file",
      arguments: { path: `${FOLDER}/note.txt` },
      expected: { text: "Hello from a file.", structured: { content: "Hello from a file.\n" } },
    },
  },
  {
    name: "memory",
    package: "@modelcontextprotocol/server-memory",
    version: "2026.8.31",
    entry: "dist/index.js",
    env: { MEMORY_FILE_PATH: `${FOLDER}/memory.jsonl` },
    tools: 9,
    call: {
      tool: "search_nodes",
      arguments: { query: "both eras" },
      expected: { structured: { entities: [{ name: "gateway", observations: ["speaks both eras"] }], relations: [] } },
    },
  },
  {
    name: "sequential-thinking",
    package: "@modelcontextprotocol/server-sequential-thinking",
    version: "2026.8.31",
    entry: "dist/index.js",
    tools: 1,
    call: {
      tool: "sequentialthinking",
      arguments: { thought: "One step is enough.", nextThoughtNeeded: false, thoughtNumber: 1, totalThoughts: 3 },
      expected: { structured: { thoughtNumber: 1, totalThoughts: 3, nextThoughtNeeded: false, branches: [] } },
    },
  },
];
