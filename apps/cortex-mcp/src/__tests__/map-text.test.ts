import { PassThrough } from "node:stream";
import type { ServiceMapStatus } from "@cortex-os/mcp";
import { describe, expect, test } from "vitest";
import { durationText } from "../output.js";
import { firstLine } from "../process-io.js";
import { diffLines, mapStatusLines } from "../service-map/map-text.js";

const NOW = "2026-11-23T12:00:00.000Z";
const minutes = (count: number): string => new Date(Date.parse(NOW) + count * 60_000).toISOString();

const none: ServiceMapStatus = {
  ...{ url: "https://maps.example/map", mode: "background", state: "none", circuit: "closed", failures: 0 },
};

describe("the service map for a person", () => {
  test.each<[Partial<ServiceMapStatus>, readonly string[]]>([
    [{}, ["Service map https://maps.example/map: none yet"]],
    [
      { state: "fresh", connectors: 12, id: "01J", ageSeconds: 42, keyId: "k1", nextRefreshAt: minutes(4) },
      ["Service map https://maps.example/map: fresh, 12 connectors, id 01J, 42 s old, key k1, next refresh in 4 min"],
    ],
    [
      { state: "stale", mode: "synchronous", connectors: 1, expiresAt: minutes(-180), staleUntil: minutes(600) },
      [
        `Service map https://maps.example/map: stale, expired 3 h ago, served until ${minutes(600)}, 1 connector, refreshed when it is needed`,
      ],
    ],
    [{ state: "stale" }, ["Service map https://maps.example/map: stale"]],
    [
      { state: "expired" },
      ["Service map https://maps.example/map: expired: its connectors are down until a newer one comes"],
    ],
    [
      { lastError: "No.", lastAttemptAt: minutes(-1), failures: 1 },
      ["Service map https://maps.example/map: none yet", "  last refresh failed 60 s ago: No."],
    ],
    [
      { lastError: "Service map https://maps.example/map: No.", failures: 3, circuit: "open" },
      [
        "Service map https://maps.example/map: none yet",
        "  last refresh failed, 3 in a row (the publisher is left alone for a while): No.",
      ],
    ],
    [
      { pinned: "01A" },
      [
        "Service map https://maps.example/map: none yet",
        "  pinned to 01A; cortex-mcp map pin --off follows the newest again",
      ],
    ],
    [
      { state: "expired", id: "01A", pinned: "01A" },
      [
        "Service map https://maps.example/map: pinned, and too old to be served, id 01A",
        "  pinned to 01A, whose connectors are down by now; cortex-mcp map pin --off follows the newest again",
      ],
    ],
    [
      { held: { id: "01B", generatedAt: NOW, removed: ["a", "b", "c"], reason: "too many" } },
      ["Service map https://maps.example/map: none yet", `  held: 01B of ${NOW}: too many`, "  it takes away: a, b, c"],
    ],
  ])("%j", (status, lines) => {
    expect(mapStatusLines({ ...none, ...status }, Date.parse(NOW))).toEqual(lines);
  });

  test("a first map is compared with nothing", () => {
    const to = { id: "01A", generatedAt: NOW };
    expect(diffLines({ to, added: ["a"], removed: [], changed: [], unchanged: 0 })).toEqual([
      `01A of ${NOW}, against nothing:`,
      "+ a",
      "0 removed, 0 changed, 1 added, 0 as before.",
    ]);
  });

  test.each([
    [-5, "0 s"],
    [0, "0 s"],
    [1_999, "1 s"],
    [119_999, "119 s"],
    [120_000, "2 min"],
    [7_199_999, "119 min"],
    [7_200_000, "2 h"],
    [172_799_999, "47 h"],
    [172_800_000, "2 d"],
    [864_000_000, "10 d"],
  ])("%i ms are %s", (milliseconds, text) => {
    expect(durationText(milliseconds)).toBe(text);
  });
});

describe("the answer of a person", () => {
  test("is the first line, or nothing when the input ends", async () => {
    const input = new PassThrough();
    const answer = firstLine(input);
    input.write("y\nmore\n");
    expect(await answer).toBe("y");
    const ended = new PassThrough();
    ended.end();
    expect(await firstLine(ended)).toBeUndefined();
  });
});
