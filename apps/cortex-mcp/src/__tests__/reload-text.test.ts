import { expect, test } from "vitest";
import { reloadText } from "../control/reload-text.js";

test("a reload that changed everything is told line by line", () => {
  const text = reloadText({
    configuration: { changed: ["names.separator", "log.level"], needRestart: ["port"] },
    connectors: { added: ["a", "b"], removed: ["c"], changed: ["d"], unchanged: ["e", "f"] },
    tools: { before: 3, after: 5 },
    problems: ["the service map cannot be refreshed"],
  });
  expect(text.split("\n")).toEqual([
    "Configuration: changed names.separator, log.level.",
    "Needs a restart to take effect: port.",
    "Connectors: added a, b; removed c; changed d; 2 connectors unchanged.",
    "Tools: 5, before it was 3.",
    "Problem: the service map cannot be refreshed",
  ]);
});
