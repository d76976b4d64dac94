import { describe, expect, test } from "vitest";
import { connectorsOf } from "../connectors.js";
import type { ConnectorEntry, ServiceMapPayload } from "../service-map-payload.js";
import { connector } from "./signed-maps.js";

const entriesOf = (...connectors: readonly unknown[]): readonly ConnectorEntry[] =>
  connectorsOf(JSON.parse(JSON.stringify({ connectors })));
const entryOf = (members: Readonly<Record<string, unknown>>): ConnectorEntry | undefined =>
  entriesOf(connector(members))[0];

describe("R1: the connectors of a map, in one spelling", () => {
  test("stay as they are in that spelling, unknown members included", () => {
    const entry = connector({
      "x-owner": { team: "a" },
      quotas: { perMinute: 1, perWeek: 2 },
      timeouts: { connectMs: 1 },
    });
    expect(entriesOf(entry)).toEqual([entry]);
  });

  test("get the names of the other spelling beside what was received", () => {
    const received = connector({
      name: undefined,
      displayName: "Files",
      status: "online",
      enabled: true,
      ttlSeconds: undefined,
      ttl: 60,
    });
    expect(entriesOf(received)).toEqual([{ ...received, name: "Files", status: "enabled", ttlSeconds: 60 }]);
  });

  test.each([
    { members: { status: "enabled" }, status: "enabled" },
    { members: { status: "disabled" }, status: "disabled" },
    { members: { status: undefined, enabled: true }, status: "enabled" },
    { members: { status: undefined, enabled: false }, status: "disabled" },
    { members: { status: "enabled", enabled: false }, status: "disabled" },
    { members: { status: "disabled", enabled: true }, status: "disabled" },
    { members: { status: "online", enabled: true }, status: "enabled" },
    { members: { status: "online", enabled: false }, status: "disabled" },
  ])("are disabled when either spelling says so: $members", ({ members, status }) => {
    expect(entryOf(members)?.status).toBe(status);
  });

  test("prefer the one spelling where both are there", () => {
    expect(entryOf({ displayName: "Other", ttl: 1 })).toMatchObject({ name: "Files", ttlSeconds: 300 });
  });

  test("take a ttl of seconds since the epoch for no duration", () => {
    expect(entryOf({ ttlSeconds: undefined, ttl: 999_999_999 })?.ttlSeconds).toBe(999_999_999);
    const entry = entryOf({ ttlSeconds: undefined, ttl: 1_000_000_000 });
    expect(entry?.ttlSeconds).toBeUndefined();
    expect(entry).toHaveProperty("ttl", 1_000_000_000);
  });

  test("do not change when they are normalised again, nor does what was given", () => {
    const received = { connectors: [connector({ name: undefined, displayName: "Files", enabled: false, ttl: 5 })] };
    const payload: Pick<ServiceMapPayload, "connectors"> = JSON.parse(JSON.stringify(received));
    const once = connectorsOf(payload);
    expect(connectorsOf({ connectors: once })).toEqual(once);
    expect(payload).toEqual(JSON.parse(JSON.stringify(received)));
  });

  test("are whatever is there when no schema has seen the map: nothing throws", () => {
    expect(entriesOf({ id: "bare" })).toEqual([
      { id: "bare", name: "bare", status: "enabled", auth: { type: "none" }, scopes: [] },
    ]);
    expect(entriesOf(null, "text", 1, [], {}, { id: 7 })).toEqual([]);
    expect(connectorsOf(JSON.parse("{}"))).toEqual([]);
    expect(connectorsOf(JSON.parse('{"connectors":{"id":"a"}}'))).toEqual([]);
  });
});
