import { expect } from "vitest";
import type { Members, Message } from "../message.js";
import { statusOf, type GatewayTrial, type Operation } from "../operation.js";
import { RawClient } from "../raw-client.js";

/** What a client has of the gateway itself, whatever is behind it. */
export const GATEWAY_OPERATIONS: readonly Operation<GatewayTrial>[] = [
  {
    title: "`initialize`, `server/discover`",
    works: async ({ client: { server, raw }, kind }) => {
      const offered = ["completions", "logging", "prompts", "resources", "tools"];
      expect(server.name).toBe("cortex-mcp");
      expect(Object.keys(server.capabilities).toSorted()).toEqual(offered);
      if (kind.era === "legacy") return;
      const { supportedVersions } = await raw.request("server/discover", {});
      expect(supportedVersions).toEqual(["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]);
    },
  },
  {
    title: "a revision that nobody speaks",
    works: async (trial) => {
      const { raw } = trial.client;
      if (trial.kind.era === "modern") {
        const asked = raw.messageOf("v", "tools/list", {}) as { params: { _meta: Members } };
        const _meta = { ...asked.params._meta, "io.modelcontextprotocol/protocolVersion": "2099-01-01" };
        const { status, answers } = await raw.sendAs({ ...asked, params: { _meta } }, ["v"]);
        expect(answers[0]?.error).toMatchObject({ code: -32_022, data: { requested: "2099-01-01" } });
        expect(status).toBe(statusOf(trial, 400));
      } else {
        expect(await RawClient.settles("2099-01-01", trial.kind.wire(trial.gateway))).toBe("2025-11-25");
      }
    },
  },
  {
    title: "`ping`",
    refusal: ({ kind: { era } }) => (era === "modern" ? "noPing" : undefined),
    works: async ({ client }) => {
      expect(await client.request("ping", {})).toEqual({});
    },
    refused: async (trial) => {
      const { status, error } = await trial.client.raw.exchange("ping", {});
      expect(error).toEqual({ code: -32_601, message: "Method not found: ping" });
      expect(status).toBe(statusOf(trial, 404));
    },
  },
  {
    title: "batches",
    refusal: ({ kind: { revision } }) => (revision === "2025-03-26" ? undefined : "noBatches"),
    works: async ({ client: { raw } }) => {
      const batch = [raw.messageOf("b1", "ping", {}), raw.messageOf("b2", "tools/list", {})];
      const { answers } = await raw.sendAs(batch, ["b1", "b2"]);
      expect(answers).toMatchObject([{ result: {} }, { result: { tools: expect.any(Array) } }]);
    },
    refused: async (trial) => {
      const { raw } = trial.client;
      const batch = [raw.messageOf("b1", "tools/list", {}), raw.messageOf("b2", "tools/list", {})];
      const { status, answers } = await raw.sendAs(batch, [null]);
      expect(answers[0]?.error?.code).toBe(-32_600);
      expect(status).toBe(statusOf(trial, 400, 400));
    },
  },
  {
    title: "unknown methods",
    works: async (trial) => {
      const { status, error } = await trial.client.raw.exchange("nobody/knows", {});
      expect(error).toEqual({ code: -32_601, message: "Method not found: nobody/knows" });
      expect(status).toBe(statusOf(trial, 404));
    },
  },
  {
    title: "what is no message",
    works: async (trial) => {
      const { status, answers } = await trial.client.raw.sendAs({ jsonrpc: "2.0", id: {} }, [null]);
      expect((answers[0] as Message).error?.code).toBe(-32_600);
      expect(status).toBe(statusOf(trial, 400, 400));
    },
  },
];
