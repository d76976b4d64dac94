import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeOwnUri, ownUri, ownUriTemplate, parseOwnUri, type OwnAddress } from "../own-uri.js";

function addressOf(uri: string): OwnAddress {
  const address = parseOwnUri(uri);
  if (address === undefined) throw new Error(`${uri} is no address of ours`);
  return address;
}

describe("addresses of ours (design.md, decision 4)", () => {
  test("say whose a resource is, its URI encoded", () => {
    expect(ownUri("docs", "file:///a b/ü?x=1#y")).toBe("cortex://docs/file%3A%2F%2F%2Fa%20b%2F%C3%BC%3Fx%3D1%23y");
  });

  test("any URI survives the way there and back", () => {
    const uri = fc.string({ unit: "grapheme" }).filter((text) => text.isWellFormed());
    fc.assert(
      fc.property(uri, (own) => {
        const address = addressOf(ownUri("k", own));
        expect(address.key).toBe("k");
        expect(decodeOwnUri(address, [])).toBe(own);
      }),
    );
  });

  test("of a template keep what is to be filled in, and give the URI that the upstream's own template would", () => {
    const template = "file:///{dir}/x?{q}";
    const ours = ownUriTemplate("docs", template);
    expect(ours).toBe("cortex://docs/file%3A%2F%2F%2F{dir}%2Fx%3F{q}");
    const filled = ours.replace("{dir}", "a%20b").replace("{q}", "1");
    expect(decodeOwnUri(addressOf(filled), [template])).toBe("file:///a%20b/x?1");
  });

  test.each(["file:///x", "cortex://", "cortex://key", "CORTEX://k/x", ""])("%j is none", (uri) => {
    expect(parseOwnUri(uri)).toBeUndefined();
  });

  test("one that is not encoded as it should be means nothing", () => {
    expect(decodeOwnUri({ key: "k", encoded: "%zz" }, [])).toBeUndefined();
  });
});
