import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { errnoOf, replaceFile } from "@cortex-os/mcp-registry";
import { parseManifest, type PublisherManifest } from "@cortex-os/protocol";
import { jsonText } from "../output.js";
import { reasonOf, userError } from "../user-error.js";
import { EXAMPLE_MARK } from "./example-entries.js";

/** The name of the fixture server, which runs inside the example's own process. */
export const FIXTURE = "fixture";

type Entry = PublisherManifest["connectors"][number];

/**
 * The manifest of the example's service map: what is in `file`, or a first one.
 *
 * @throws GatewayError USER_INPUT when somebody made it one that cannot be published
 */
export async function readExampleManifest(file: string): Promise<PublisherManifest> {
  const text = await readIfThere(file);
  return text === undefined ? FIRST : parseManifest(text, file);
}

/** The id under which a manifest names the fixture; `undefined` when somebody took it out. */
export const fixtureId = ({ connectors }: PublisherManifest): string | undefined => connectors.find(isFixture)?.id;

/** Writes a manifest in which the fixture is at `fixtureUrl`; whatever else somebody wrote into it stays. */
export async function writeExampleManifest(
  file: string,
  manifest: PublisherManifest,
  fixtureUrl: string,
): Promise<void> {
  const connectors = manifest.connectors.map((entry) =>
    isFixture(entry) ? { ...entry, endpoint: fixtureUrl } : entry,
  );
  await replaceFile(file, `${jsonText({ ...manifest, connectors })}\n`, `${file}.${randomUUID()}.tmp`);
}

/** Whatever its id: somebody may have renamed or copied the entry. */
const isFixture = (entry: Entry): boolean => entry[EXAMPLE_MARK] === true;

const FIRST: PublisherManifest = {
  brand: "cortex-mcp example",
  ttlSeconds: 300,
  connectors: [
    {
      id: FIXTURE,
      version: "1.0.0",
      name: "Fixture",
      description: "The test server of cortex-mcp",
      // Written anew at each start: the fixture takes a free port.
      endpoint: "http://127.0.0.1/mcp",
      auth: { type: "none" },
      scopes: ["tools"],
      status: "enabled",
      ttlSeconds: 300,
      [EXAMPLE_MARK]: true,
    },
  ],
};

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw userError(`cannot read ${file}: ${reasonOf(error)}`, { cause: error });
  }
}
