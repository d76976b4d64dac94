import { readdir } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { createTestIo } from "./test-io.js";

describe("bad input", () => {
  test.each([
    [
      ["add", "bad name", "https://x"],
      "\"bad name\" cannot be a server's name: use 1 to 32 letters, digits, '_' or '-'",
    ],
    [["add", "../up", "https://x"], "\"../up\" cannot be a server's name: use 1 to 32 letters, digits, '_' or '-'"],
    [["add", "x"], "add x needs a URL, or -- and a command: cortex-mcp add x -- npx -y some-server"],
    [["add", "x", "ftp://host"], '"ftp://host" is no http or https URL; write it out, as in https://host/mcp'],
    [
      ["add", "x", "ftp://s3cret@host"],
      '"ftp://***@host/" is no http or https URL; write it out, as in https://host/mcp',
    ],
    [["add", "x", "-t", "stdio", "http://s3cret@h/mcp"], "http://***@h/mcp is a URL, no command; leave out -t stdio"],
    [["add", "x", "http://"], '"http://" is no http or https URL; write it out, as in https://host/mcp'],
    [["add", "x", "-t", "http", "host"], '"host" is no http or https URL; write it out, as in https://host/mcp'],
    [["add", "x", "-t", "htpp", "https://h"], '-t takes http, sse or stdio, not "htpp"; did you mean "http"?'],
    [["add", "x", "-t", "websocket", "https://h"], '-t takes http, sse or stdio, not "websocket"'],
    [["add", "x", "-t", "stdio", "https://h/mcp"], "https://h/mcp is a URL, no command; leave out -t stdio"],
    [
      ["add", "x", "https://h", "more"],
      "nothing may follow a URL; for a command put -- before it, and leave out -t http",
    ],
    [
      ["add", "x", "https://h", "-e", "A=1"],
      "-e is for servers started by a command; give a URL its secrets with -H 'K: V'",
    ],
    [["add", "x", "-H", "A: 1", "--", "node"], "-H is for servers with a URL; give a command its secrets with -e K=V"],
    [
      ["add", "x", "-e", "s3cret", "--", "node"],
      "-e needs NAME=VALUE with a name of letters, digits and '_', as in -e API_KEY=…",
    ],
    [
      ["add", "x", "-H", "s3cret", "https://h"],
      "-H needs 'Name: value' on one line, as in -H 'Authorization: Bearer …'",
    ],
    [
      ["add", "x", "-H", "A: s3\ncret", "https://h"],
      "-H needs 'Name: value' on one line, as in -H 'Authorization: Bearer …'",
    ],
    [
      ["add", "x", "--", "no-such-command"],
      'the command "no-such-command" was not found on PATH; install it, or give its full path',
    ],
    [["add", "x", "--", "/no/such/file"], 'there is no file "/no/such/file"; check the path'],
    [
      ["add", "x", "node", "--api-key=s3cret"],
      "unknown option '--api-key'; options of a server's own command go after --; see cortex-mcp --help",
    ],
    [["add"], "missing required argument 'name'; see cortex-mcp --help"],
    [
      ["add-json", "x", "{"],
      "what follows x is not JSON; put it in single quotes and check its commas and double quotes",
    ],
    [["add-json", "x", "[]"], `what follows x must be one JSON object, such as '{"url":"https://host/mcp"}'`],
    [
      ["add-json", "x", '{"name":"y","url":"https://h"}'],
      'the JSON names its server otherwise than "x"; make them equal or leave "name" out',
    ],
    [
      ["add-json", "x", '{"command":"no-such-command"}'],
      'the command "no-such-command" was not found on PATH; install it, or give its full path',
    ],
    [["remove", "x"], 'there is no server "x"; cortex-mcp list shows them'],
    [["get", "x"], 'there is no server "x"; cortex-mcp list shows them'],
    [["enable", "x"], 'there is no server "x"; cortex-mcp list shows them'],
    [["disable", "x"], 'there is no server "x"; cortex-mcp list shows them'],
    [["call", "x", "{"], `the arguments are not JSON; write them like '{"message":"hello"}'`],
    [["call", "x", "7"], `the arguments must be a JSON object; write them like '{"message":"hello"}'`],
    [["lsit"], "unknown command 'lsit' (Did you mean list?); see cortex-mcp --help"],
    [["doctor"], "unknown command 'doctor'; see cortex-mcp --help"],
    [
      ["list", "--jsno"],
      "unknown option '--jsno' (Did you mean --json?); options of a server's own command go after --; see cortex-mcp --help",
    ],
    [["list", "extra"], "too many arguments for 'list'. Expected 0 arguments but got 1; see cortex-mcp --help"],
    [["config"], "config needs a word after it; use one of validate, schema, path"],
    [["config", "validat"], 'config knows no "validat"; did you mean "validate"?'],
    [["serve", "--port", "web"], "--port must be a whole number from 0 to 65535"],
    [
      ["serve", "--host", "0.0.0.0"],
      "--host: only this machine may be served until inbound authentication exists: use 127.0.0.1, ::1 or localhost",
    ],
    [["serve", "--config", "/no/such.json"], "there is no file /no/such.json; name an existing one with --config"],
  ])("%j is refused in one line, with exit code 1, and changes nothing", async (argv, message) => {
    const io = await createTestIo();
    expect(await io.run(...argv)).toEqual({ code: 1, out: "", err: `cortex-mcp: ${message}` });
    await expect(readdir(io.home)).rejects.toThrow("ENOENT");
    if (argv[0] === "config") return;
    const [command = "", ...rest] = argv;
    const json = await io.run(command, "--json", ...rest);
    const { error } = JSON.parse(json.out) as { error: { code: string; message: string } };
    expect([json.code, json.err, error.code]).toEqual([1, "", "USER_INPUT"]);
    if (argv[1] !== "--jsno") expect(error.message).toBe(message);
  });
});
