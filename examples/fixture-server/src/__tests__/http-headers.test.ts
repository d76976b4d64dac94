import { encodeHeaderValue } from "@cortex-os/mcp-core/wire";
import { describe, expect, test } from "vitest";
import { errorOf, json, META_FIELDS, modern, resultOf, useFixtureHttp } from "./support.js";

const start = useFixtureHttp();

describe("header validation (2026-07-28, Server Validation)", () => {
  const call = { name: "echo", arguments: { message: "m" } };

  test.each([
    ["no MCP-Protocol-Version", { "mcp-protocol-version": undefined }],
    ["another MCP-Protocol-Version", { "mcp-protocol-version": "2025-11-25" }],
    ["no Mcp-Method", { "mcp-method": undefined }],
    ["another Mcp-Method", { "mcp-method": "tools/list" }],
    ["Mcp-Method in another case", { "mcp-method": "Tools/Call" }],
    ["no Mcp-Name", { "mcp-name": undefined }],
    ["another Mcp-Name", { "mcp-name": "add" }],
    ["an Mcp-Name whose Base64 is broken", { "mcp-name": "=?base64?ZWN obw=?=" }],
    ["an Mcp-Name in Latin-1", { "mcp-name": "\u00e9cho" }],
  ])("%s is 400 with −32020", async (_, headers) => {
    const { url } = await start();
    const answer = await modern(url, "tools/call", call, headers);
    expect([answer.status, errorOf(answer)["code"], json(answer)["id"]]).toEqual([400, -32_020, 7]);
    expect(errorOf(answer)["message"]).toMatch(/^Header mismatch: /);
  });

  test("an encoded Mcp-Name is decoded before it is compared", async () => {
    const { url } = await start();
    const encoded = await modern(url, "tools/call", call, { "mcp-name": "=?base64?ZWNobw==?=" });
    expect(resultOf(encoded)["structuredContent"]).toEqual({ message: "m" });
    const odd = "wörld/tool 世界";
    await modern(url, "tools/call", { name: "toggle", arguments: { name: odd, present: true } });
    const answer = await modern(url, "tools/call", { name: odd }, { "mcp-name": encodeHeaderValue(odd) });
    expect(resultOf(answer)["content"]).toEqual([{ type: "text", text: `this is ${odd}` }]);
  });

  test("a revision it does not speak is 400 with −32022, saying which it does", async () => {
    const { url } = await start();
    for (const requested of ["1900-01-01", "2099-01-01"]) {
      const params = { _meta: { ...META_FIELDS, "io.modelcontextprotocol/protocolVersion": requested } };
      const answer = await modern(url, "tools/list", params, { "mcp-protocol-version": requested });
      expect([answer.status, errorOf(answer)["code"]]).toEqual([400, -32_022]);
      expect(errorOf(answer)["data"]).toEqual({ supported: ["2026-07-28"], requested });
    }
  });

  test.each([
    ["protocolVersion", { "io.modelcontextprotocol/clientCapabilities": {} }],
    ["clientCapabilities", { "io.modelcontextprotocol/protocolVersion": "2026-07-28" }],
    ["clientInfo", { ...META_FIELDS, "io.modelcontextprotocol/clientInfo": "me" }],
  ])("a missing or malformed _meta field %s is 400 with −32602", async (field, _meta) => {
    const { url } = await start();
    const answer = await modern(url, "tools/list", { _meta });
    expect([answer.status, errorOf(answer)["code"]]).toEqual([400, -32_602]);
    expect(errorOf(answer)["message"]).toContain(field);
  });

  test("Mcp-Param headers that the schema asks for are checked against the arguments, others are let be", async () => {
    const { url } = await start();
    const who = async (args: object, headers: Record<string, string>): Promise<unknown> => {
      const answer = await modern(url, "tools/call", { name: "whoami", arguments: args as never }, headers);
      if (answer.status !== 200) return errorOf(answer)["code"];
      return (resultOf(answer)["structuredContent"] as { paramHeaders: object }).paramHeaders;
    };
    const all = { "mcp-param-region": "eu", "mcp-param-shard": "42.0", "mcp-param-spare": "true" };
    expect(await who({ region: "eu", placement: { shard: 42, spare: true } }, all)).toEqual(all);
    expect(await who({ region: "日本" }, { "mcp-param-region": "=?base64?5pel5pys?=" })).toEqual({
      "mcp-param-region": "=?base64?5pel5pys?=",
    });
    expect(await who({ region: null }, { "mcp-param-other": "x" })).toEqual({ "mcp-param-other": "x" });
    expect(await who({ region: "eu" }, {})).toBe(-32_020);
    expect(await who({ region: "eu" }, { "mcp-param-region": "us" })).toBe(-32_020);
    expect(await who({}, { "mcp-param-region": "eu" })).toBe(-32_020);
    expect(await who({ placement: { shard: 42 } }, { "mcp-param-shard": "43" })).toBe(-32_020);
  });
});
