import { afterAll, afterEach, describe, test, expect } from "vitest";
import { closeLinks, expectNoProcessLeft, linkTo, until } from "./support.js";

afterEach(closeLinks);
afterAll(() => expectNoProcessLeft());

describe("changes of a server's tools", () => {
  test.each(["legacy", "modern"])("would be heard of, or not, as the link says: %s", async (era) => {
    const under = linkTo({ args: ["--era", era] });
    expect(under.link.hearsChanges).toBe(false);
    await under.open();
    await until(() => under.link.hearsChanges);
    await under.link.close();
    expect(under.link.hearsChanges).toBe(false);
  });
});
