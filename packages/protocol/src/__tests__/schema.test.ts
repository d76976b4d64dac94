import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { problemsOfServiceMap, publishedConnectorSchema, serviceMapResponseSchema } from "../schema.js";
import { serviceMapJsonSchema } from "../service-map-json-schema.js";
import { connector, signedMap } from "./signed-maps.js";

// What is accepted and refused, member by member, stands in vectors/maps.json.

describe("R1: the schema of a service map", () => {
  test("changes nothing: no default, no coercion, nothing stripped or sorted", () => {
    const map = signedMap({
      z: null,
      connectors: [connector({ z: { y: [1.5] }, auth: { type: "apiKey", scheme: "x" }, quotas: { perWeek: 1 } })],
      a: [],
    });
    const parsed = serviceMapResponseSchema.parse(map);
    expect(parsed).toEqual(map);
    expect(JSON.stringify(parsed.connectors)).not.toContain("undefined");
  });

  test.each([
    { spelling: "name, status, ttlSeconds", members: {} },
    { spelling: "displayName", members: { name: undefined, displayName: "Files" } },
    { spelling: "enabled: true", members: { status: undefined, enabled: true } },
    { spelling: "enabled: false", members: { status: undefined, enabled: false } },
    { spelling: "a word of its own and enabled", members: { status: "online", enabled: true } },
    { spelling: "ttl", members: { ttlSeconds: undefined, ttl: 60 } },
    { spelling: "ttl as a moment", members: { ttlSeconds: undefined, ttl: 1_900_000_000 } },
    { spelling: "both of each", members: { displayName: "Files", enabled: true, ttl: 60 } },
  ])("takes the spelling $spelling", ({ members }) => {
    expect(publishedConnectorSchema.safeParse(connector(members)).success).toBe(true);
  });

  test.each([
    "http://127.0.0.1:8080/mcp",
    "https://[::1]/",
    "HTTPS://Example.ORG",
    "https://example.org?tenant=a",
    "https://example.org/a@b",
    "https://xn--bcher-kva.example/",
  ])("takes the endpoint %s", (endpoint) => {
    expect(publishedConnectorSchema.safeParse(connector({ endpoint })).success).toBe(true);
  });

  test.each([
    "ftp://example.org/",
    "javascript:alert(1)",
    "https://",
    "https:example.org",
    "https://user@example.org/",
    " https://example.org/",
    "https://example.org/a b",
    "https://example.org\\@evil.example/",
    "https://exa mple.org/",
    "https://[::1/",
    "",
  ])("refuses the endpoint %j", (endpoint) => {
    expect(publishedConnectorSchema.safeParse(connector({ endpoint })).success).toBe(false);
  });

  test("tells each problem and its place, in words that hold no value", () => {
    expect(problemsOfServiceMap(signedMap())).toEqual([]);
    expect(problemsOfServiceMap(undefined)).toEqual([{ place: [], message: "is missing" }]);
    expect(problemsOfServiceMap(null)).toEqual([{ place: [], message: "must be an object" }]);
    expect(problemsOfServiceMap(signedMap({ brand: 7, connectors: [connector({ tags: [1], ttl: 2 ** 53 })] }))).toEqual(
      [
        { place: ["brand"], message: "must be a text" },
        { place: ["connectors", 0, "ttl"], message: "must be an integer" },
        { place: ["connectors", 0, "tags", 0], message: "must be a text" },
      ],
    );
  });

  test("the JSON Schema shipped with the package is the one in force (regenerate it from serviceMapJsonSchema())", () => {
    const shipped: unknown = JSON.parse(
      readFileSync(new URL("../../service-map.schema.json", import.meta.url), "utf8"),
    );
    expect(shipped).toEqual(serviceMapJsonSchema());
    expect(shipped).toMatchObject({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      required: ["id", "brand", "generatedAt", "ttlSeconds", "connectors", "signature"],
      properties: {
        connectors: {
          items: {
            required: ["id", "version", "endpoint", "auth", "scopes"],
            allOf: [
              { anyOf: [{ required: ["name"] }, { required: ["displayName"] }] },
              { anyOf: [{ required: ["ttlSeconds"] }, { required: ["ttl"] }] },
              { anyOf: [{ required: ["enabled"] }, { required: ["status"] }] },
            ],
          },
        },
      },
    });
  });
});
