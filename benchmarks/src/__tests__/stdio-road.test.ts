import { expect, test } from "vitest";
import { bareStdioProxyPath, minimalUpstreamPath } from "../program-paths.js";
import { withServers } from "../server-process.js";
import { toolCall } from "../tool-call.js";

test("the bare proxy to stdio is a correct one: callers whose ids collide get their own answers, under their own ids", async () => {
  await withServers(async ({ start }) => {
    const { url } = await start([bareStdioProxyPath, minimalUpstreamPath, "modern", "stdio"]);
    const place = { url, era: "modern", prefix: "", session: undefined } as const;
    const call = async (at: number): Promise<unknown> => {
      const { headers, body } = toolCall(place, { tool: "echo" }, at);
      const sent = body.replace(`"id":${at + 1}`, '"id":"same"');
      const response = await fetch(url, { method: "POST", headers, body: sent });
      return response.json();
    };
    const callers = Array.from({ length: 50 }, (_, at) => at);
    expect(await Promise.all(callers.map(call))).toEqual(
      callers.map((at) => ({
        jsonrpc: "2.0",
        id: "same",
        result: { resultType: "complete", content: [{ type: "text", text: `hello from ${at + 1}` }] },
      })),
    );
  });
}, 60_000);
