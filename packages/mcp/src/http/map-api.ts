import { GatewayError } from "@cortex-os/mcp-core";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { connectorsOf } from "@cortex-os/protocol";
import type { MapOperation } from "../connectors/map/map-operations.js";
import type { ServiceMapFollower } from "../connectors/map/service-map-follower.js";
import { shownUrl } from "../connectors/shown-url.js";
import type { Gateway } from "../gateway/gateway.js";
import { objectIn, onlyPost, run, type ControlDeps } from "./control-answers.js";
import { sendJson } from "./respond.js";
import { onlyGet, type Handler } from "./routes.js";

/** What the service map's routes work through. */
export interface MapApiDeps extends ControlDeps {
  readonly gateway: Gateway;
}

/** A connector of the service map as the control API shows it. */
export interface ShownConnector {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  /** Origin and path: user information and query may hold a token. */
  readonly endpoint: string;
  readonly status: "enabled" | "disabled";
}

/**
 * The part of the control API that is about the service map: `GET /api/v1/map` says how it is, which connectors it names and which maps are kept, `GET …/diff` what the held one
 * would change or the last one changed, `POST /api/v1/map` takes a `MapOperation`.
 */
export function mapApi(deps: MapApiDeps): Readonly<Record<string, Handler>> {
  const follower = (): ServiceMapFollower => followerOf(deps.gateway);
  const show = onlyGet((_request, response) => {
    run(deps, response, async () => {
      const { known } = follower();
      sendJson(response, 200, { status: follower().status(), known, connectors: connectorsNamed(follower()) });
    });
  });
  const operate = onlyPost(deps, async (body, response) => {
    sendJson(response, 200, await follower().operate(operationOf(objectIn(body))));
  });
  return {
    "/api/v1/map": (request, response) => {
      (request.method === "POST" ? operate : show)(request, response);
    },
    "/api/v1/map/diff": onlyGet((_request, response) => {
      run(deps, response, async () => {
        const { diff } = follower();
        if (diff === undefined) throw new GatewayError("USER_INPUT", "There is no service map yet: nothing to compare");
        sendJson(response, 200, diff);
      });
    }),
  };
}

function followerOf({ serviceMap }: Gateway): ServiceMapFollower {
  if (serviceMap !== undefined) return serviceMap;
  throw new GatewayError(
    "USER_INPUT",
    "This gateway has no service map: set CONNECTORS_SERVICE_MAP_URL, or serviceMap.url in its configuration",
  );
}

/** Of the map in force or, when that is too old to be served, of that one: its connectors are down, and still a person's to look at. */
function connectorsNamed({ inForce, expired }: ServiceMapFollower): readonly ShownConnector[] {
  const payload = inForce ?? expired;
  if (payload === undefined) return [];
  return connectorsOf(payload).map(({ id, name, version, endpoint, status }) => ({
    ...{ id, name, version, status },
    endpoint: shownUrl(endpoint),
  }));
}

function operationOf({ kind, id, connectorsDigest }: JsonObject): MapOperation {
  if (id !== undefined && typeof id !== "string")
    throw new GatewayError("INVALID_PARAMS", "id must be the id of a service map");
  if (connectorsDigest !== undefined && typeof connectorsDigest !== "string")
    throw new GatewayError("INVALID_PARAMS", "connectorsDigest must be that of the held service map");
  const named = id === undefined ? {} : { id };
  switch (kind) {
    case "pin":
      return { kind, ...named };
    case "unpin":
    case "rollback":
    case "reset-floor":
      return { kind };
    case "accept":
      return { kind, ...named, ...(connectorsDigest === undefined ? {} : { connectorsDigest }) };
    default:
      throw new GatewayError("INVALID_PARAMS", "kind must be pin, unpin, rollback, accept or reset-floor");
  }
}
