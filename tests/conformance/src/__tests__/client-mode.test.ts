import { readFile } from "node:fs/promises";
import { describe, expect, inject, test } from "vitest";
import { complaintsOf, scoreOf } from "../checks.js";
import { CLIENT_RUNS } from "../client/client-runs.js";
import { runClientSuite } from "../client/run-client-suite.js";
import { CLIENT_SECTION, CONFORMANCE_DOCUMENT } from "../conformance-document.js";
import { sectionOf } from "../generated-section.js";
import { clientTable } from "../score-table.js";

/** Many times what the longest run takes on an idle machine. */
const MOST_MS = 240_000;

const node = inject("suiteNode");

describe.skipIf(!("path" in node))(
  "R22: with the gateway between a correct client and the scenarios' servers, the suite's client mode finds nothing wrong",
  () => {
    test.each(CLIENT_RUNS)(
      "$suite, $revision",
      async (run) => {
        const checks = await runClientSuite("path" in node ? node.path : "", run);
        expect(complaintsOf(checks)).toEqual([]);
        expect(scoreOf(checks).passed).toBeGreaterThanOrEqual(run.ceiling);
      },
      MOST_MS,
    );
  },
);

test("docs/conformance.md tells what these runs are held to: `pnpm conformance --write` renews it", async () => {
  expect(sectionOf(await readFile(CONFORMANCE_DOCUMENT, "utf8"), CLIENT_SECTION)).toBe(clientTable(CLIENT_RUNS));
});
