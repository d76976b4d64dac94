import { describe, expect, test } from "vitest";
import { LEGACY_CALLER, openLink, toolCall } from "./open-link.js";
import { RecordingSink } from "./recording-sink.js";
import { modern, upstream, type Seen } from "./scripted-upstream.js";

describe("answers that are read (R8)", () => {
  test.each(["application/json", "text/event-stream"])(
    "an answer nested more deeply than messages may be is refused, as %s; the gateway's own are its reader's to judge",
    async (type) => {
      const answer = (seen: Seen, depth: number): string => {
        const text = `{"jsonrpc":"2.0","id":${JSON.stringify(seen.message["id"])},"result":{"a":${"[".repeat(depth)}${"]".repeat(depth)}}}`;
        return type === "application/json" ? text : `data: ${text}\n\n`;
      };
      let depth = 62;
      const server = await upstream(
        modern((seen, res) => void res.writeHead(200, { "content-type": type }).end(answer(seen, depth))),
      );
      const { link } = await openLink(server.url);
      const allowed = new RecordingSink();
      link.send(toolCall(LEGACY_CALLER), allowed);
      await allowed.done;
      expect(allowed.endings).toEqual(["respond"]);
      depth = 100_000;
      const refused = new RecordingSink();
      link.send(toolCall(LEGACY_CALLER), refused);
      await refused.done;
      expect(refused.error?.code).toBe("UPSTREAM_PROTOCOL");
      expect(refused.error?.message).toContain("nested deeper than 64 levels");
      depth = 100;
      expect(await link.request("tools/list", {}, { timeoutMs: 1_000, maxBytes: 10_000 })).toHaveProperty("a");
    },
  );
});
