import { bearerChallenge, RemoteProxy, type BearerChallenge } from "@cortex-os/mcp-bridge";
import { connectorSpecOf, silentLogger, type ConnectorSpec } from "@cortex-os/mcp-core";
import { pickUp, pickupText } from "../../control/pickup.js";
import type { Io } from "../../io.js";
import { HomeAuthorizations } from "../../oauth/home-authorizations.js";
import { loopbackPerson } from "../../oauth/loopback-person.js";
import { jsonText } from "../../output.js";
import { exitCodeOf } from "../../process-io.js";
import { openRegistry } from "../../registry.js";
import { listenForStop } from "../../serve/stop-request.js";
import { statePaths } from "../../state/state-paths.js";
import { userError } from "../../user-error.js";
import type { JsonFlag } from "../command-context.js";
import { findOwnServer } from "../find-server.js";

/** Flags of `login`. */
export interface LoginFlags extends JsonFlag {
  readonly browser: boolean;
}

/** What a server is asked so that it says how it is authorised; the oldest of requests, which every server knows. */
const GREETING = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "cortex-mcp", version: "login" } },
};

/** Has a person authorise a server. Resolves with the exit code. */
export async function login(io: Io, name: string, { browser, json }: LoginFlags): Promise<number> {
  const entry = await findOwnServer(io, openRegistry(io), name);
  const spec = connectorSpecOf(entry);
  const { transport } = spec;
  if (transport.kind !== "http" || transport.oauth === false)
    throw userError(
      `${JSON.stringify(name)} is not authorised by OAuth: only servers with a URL are, unless oauth.enabled is false`,
    );
  if (Object.keys(transport.headers).some((header) => header.toLowerCase() === "authorization"))
    throw userError(`${JSON.stringify(name)} has an Authorization header, which wins over OAuth; remove it first`);
  const stop = listenForStop(io);
  const giveUp = new AbortController();
  void stop.requested.then(() => {
    giveUp.abort();
  });
  try {
    const challenge = await challengeOf(io, spec);
    const { callbackPort: port } = transport.oauth ?? {};
    const person = loopbackPerson({
      timers: io.system.timers,
      signal: giveUp.signal,
      ...(port === undefined ? {} : { port }),
      show: (url, start) => {
        io.err(`Log in to ${JSON.stringify(name)} here: ${url.href}`);
        if (browser) io.browse(start.href);
      },
    });
    const homes = { io, paths: statePaths(io.env), logger: silentLogger };
    await new HomeAuthorizations({ ...homes, person }).of(spec)?.login(challenge);
  } catch (error) {
    if (stop.isRequested()) return exitCodeOf(await stop.requested);
    throw error;
  } finally {
    stop.dispose();
  }
  const pickup = await pickUp(io, name);
  if (json === true) io.out(jsonText({ loggedIn: name, gateway: pickup.running ? pickup : null }));
  else {
    io.out(`Logged in to ${JSON.stringify(name)}.`);
    io.out(pickupText(pickup, true));
  }
  return 0;
}

/** What the server says when it is asked without authorization. */
async function challengeOf(io: Io, spec: ConnectorSpec): Promise<BearerChallenge> {
  const proxy = new RemoteProxy({ ...io.system, spec, logger: silentLogger });
  try {
    const { status, headers } = await proxy.forward({ body: JSON.stringify(GREETING) });
    return (status === 401 || status === 403 ? bearerChallenge(headers["www-authenticate"]) : undefined) ?? {};
  } finally {
    await proxy.dispose();
  }
}
