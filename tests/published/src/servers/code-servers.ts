import { FOLDER, type PublishedServer } from "../published-server.js";

/** Servers for programmers: linters, version control, commands. */
export const CODE_SERVERS: readonly PublishedServer[] = [
  {
    name: "eslint",
    package: "@eslint/mcp",
    version: "0.3.13",
    entry: "src/mcp-cli.js",
    tools: 1,
    call: {
      tool: "lint-files",
      arguments: { filePaths: [`${FOLDER}/orphan.js`] },
      expected: { includes: ['"ruleId":"no-unused-vars"', "'unused' is assigned a value but never used."] },
    },
  },
  {
    name: "knip",
    package: "@knip/mcp",
    version: "0.0.36",
    entry: "src/cli.js",
    tools: 2,
    call: {
      tool: "knip-run",
      arguments: { cwd: FOLDER },
      expected: { includes: ["totalIssues", "orphan.js"] },
    },
  },
  {
    name: "typescript",
    package: "typescript-mcp",
    version: "0.0.14",
    entry: "dist/typescript-mcp.js",
    tools: 12,
    call: {
      tool: "get_module_symbols",
      arguments: { root: FOLDER, moduleName: "./index.js", filePath: "orphan.js" },
      expected: { includes: ['Found 1 symbols in module "./index.js"', "Variables: answer"] },
    },
  },
  {
    name: "git",
    package: "@cyanheads/git-mcp-server",
    version: "2.15.3",
    entry: "dist/index.js",
    tools: 28,
    call: {
      tool: "git_status",
      arguments: { path: FOLDER },
      expected: { includes: ["note.txt"], structured: { success: true, currentBranch: "main", isClean: false } },
    },
  },
  {
    name: "mcp-git",
    package: "mcp-git",
    version: "0.0.4",
    entry: "dist/cli.js",
    tools: 15,
    call: {
      tool: "git_status",
      arguments: { repo_path: FOLDER },
      expected: { includes: ["On branch main", "No commits yet", "note.txt"] },
    },
  },
  {
    name: "agent-commands",
    package: "@agent-infra/mcp-server-commands",
    version: "1.2.18",
    entry: "dist/index.cjs",
    tools: 2,
    call: { tool: "run_command", arguments: { command: "expr 19 + 23" }, expected: { text: "42" } },
  },
  {
    name: "commands",
    package: "mcp-server-commands",
    version: "0.5.0",
    entry: "build/index.js",
    tools: 1,
    call: { tool: "run_command", arguments: { command: "expr 19 + 23" }, expected: { text: "42" } },
  },
  {
    name: "code-runner",
    package: "mcp-server-code-runner",
    version: "0.1.8",
    entry: "dist/cli.js",
    tools: 1,
    call: {
      tool: "run-code",
      arguments: { languageId: "javascript", code: "console.log(19 + 23)" },
      expected: { text: "42" },
    },
  },
];
