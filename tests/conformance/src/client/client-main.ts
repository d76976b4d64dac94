/**
 * The client that the suite's client mode starts, once for each scenario, many at once. It only passes on what it was started with: the client and the gateway are in the
 * process that started the suite, where all is loaded already.
 */
const { env } = process;
const response = await fetch(env["CORTEX_CONFORMANCE_PLAYER"] ?? "", {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({
    url: process.argv.at(-1),
    scenario: env["MCP_CONFORMANCE_SCENARIO"],
    revision: env["MCP_CONFORMANCE_PROTOCOL_VERSION"],
    context: JSON.parse(env["MCP_CONFORMANCE_CONTEXT"] ?? "{}"),
  }),
});
const said = await response.text();
if (!response.ok) process.stderr.write(`${said}\n`);
process.exitCode = response.ok ? 0 : 1;
