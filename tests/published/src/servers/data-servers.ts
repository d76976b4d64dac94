import { FOLDER, type PublishedServer } from "../published-server.js";

/** Servers that keep, read or look up something: memories, tasks, files, schemas, workbooks. */
export const DATA_SERVERS: readonly PublishedServer[] = [
  {
    name: "knowledge-graph",
    package: "@itseasy21/mcp-knowledge-graph",
    version: "1.0.7",
    entry: "dist/index.js",
    args: ["--memory-path", `${FOLDER}/memory.jsonl`],
    tools: 11,
    call: {
      tool: "search_nodes",
      arguments: { query: "both eras" },
      expected: { includes: ['"name": "gateway"', '"speaks both eras"'] },
    },
  },
  {
    name: "memory-bank",
    package: "@allpepper/memory-bank-mcp",
    version: "0.2.2",
    entry: "dist/main/index.js",
    env: { MEMORY_BANK_ROOT: `${FOLDER}/bank` },
    tools: 5,
    call: {
      tool: "memory_bank_read",
      arguments: { projectName: "tea", fileName: "green.md" },
      expected: { text: "Green tea wants 80 degrees." },
    },
  },
  {
    name: "memory-libsql",
    package: "mcp-memory-libsql",
    version: "0.0.17",
    entry: "dist/index.js",
    env: { LIBSQL_URL: `file:${FOLDER}/memory.db` },
    tools: 6,
    call: {
      tool: "create_entities",
      arguments: { entities: [{ name: "gateway", entityType: "program", observations: ["speaks both eras"] }] },
      expected: { includes: ["Successfully processed 1 entities"] },
    },
  },
  {
    name: "taskmanager",
    package: "@kazuph/mcp-taskmanager",
    version: "1.1.1",
    entry: "dist/index.js",
    env: { TASK_MANAGER_FILE_PATH: `${FOLDER}/tasks.json` },
    tools: 10,
    call: {
      tool: "request_planning",
      arguments: { originalRequest: "Ship it", tasks: [{ title: "Test", description: "All of it" }] },
      expected: { includes: ['"status": "planned"', '"totalTasks": 1', '"title": "Test"'] },
    },
  },
  {
    name: "agent-files",
    package: "@agent-infra/mcp-server-filesystem",
    version: "1.2.29",
    entry: "dist/index.cjs",
    args: ["--allowed-directories", FOLDER],
    tools: 11,
    call: {
      tool: "read_file",
      arguments: { path: `${FOLDER}/note.txt` },
      expected: { text: "Hello from a file." },
    },
  },
  {
    name: "excel",
    package: "@negokaz/excel-mcp-server",
    version: "0.12.0",
    entry: "dist/launcher.js",
    tools: 6,
    call: {
      tool: "excel_read_sheet",
      arguments: { fileAbsolutePath: `${FOLDER}/book.xlsx`, sheetName: "Answers" },
      expected: { includes: ["<td>19</td><td>23</td><td>42</td>", "read range: A1:C1"] },
    },
  },
  {
    name: "graphql-schema",
    package: "mcp-graphql-schema",
    version: "0.0.2",
    entry: "index.mjs",
    args: [`${FOLDER}/schema.graphql`],
    tools: 6,
    call: {
      tool: "get-type",
      arguments: { typeName: "Book" },
      expected: { text: "type Book {\n  id: ID!\n  title: String\n}" },
    },
  },
  {
    name: "openapi",
    package: "@ivotoby/openapi-mcp-server",
    version: "1.16.1",
    entry: "bin/mcp-server.js",
    args: ["--openapi-spec", `${FOLDER}/pets.json`, "--api-base-url", "http://127.0.0.1:9", "--tools", "dynamic"],
    tools: 3,
    call: {
      tool: "get-api-endpoint-schema",
      arguments: { endpoint: "/pets" },
      expected: { includes: ['"method": "GET"', '"operationId": "listPets"', '"summary": "All pets"'] },
    },
  },
];
