import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { gatewayInFrontOf } from "./gateway-under-test.js";
import { legacyClient } from "./legacy-client.js";
import { modernClient } from "./modern-client.js";
import { playScenario, type ScenarioContext } from "./play-scenario.js";

/** More at once would only wait for each other, with their deadlines running. */
const AT_ONCE = 4;

/** Plays the client of one scenario after another, with a gateway of its own for each. */
export interface Player {
  /** Where `client-main` asks for it. */
  readonly url: string;
  readonly close: () => Promise<void>;
}

interface Asked {
  readonly url: string;
  readonly scenario: string;
  readonly revision?: string;
  readonly context: ScenarioContext;
}

/** Starts a player in this process. */
export async function startPlayer(): Promise<Player> {
  const waiting: (() => void)[] = [];
  let playing = 0;
  const inTurn = async (request: IncomingMessage): Promise<string | undefined> => {
    if (playing >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
    playing += 1;
    try {
      await play(JSON.parse(await text(request)) as Asked);
      return undefined;
    } catch (error) {
      return error instanceof Error ? (error.stack ?? error.message) : "failed";
    } finally {
      playing -= 1;
      waiting.shift()?.();
    }
  };
  const server = createServer((request, response) => {
    void inTurn(request).then((failure) => response.writeHead(failure === undefined ? 200 : 500).end(failure));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
    close: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** What the gateway is told about itself as a client where the suite expects it. */
const clientMetadataUrl = "https://conformance-test.local/client-metadata.json";

async function play({ url, scenario, revision = "2025-11-25", context }: Asked): Promise<void> {
  const { client_id: clientId, client_secret: secret } = context;
  const oauth = { clientMetadataUrl, ...(clientId === undefined ? {} : { clientId }) };
  const gateway = await gatewayInFrontOf(url, oauth, secret);
  try {
    const client = await (revision >= "2026" ? modernClient : legacyClient)(gateway.url);
    try {
      await playScenario(scenario, client, context);
    } finally {
      await client.close();
    }
  } finally {
    await gateway.close();
  }
}
