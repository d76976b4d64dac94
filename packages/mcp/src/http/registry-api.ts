import type { ServerResponse } from "node:http";
import { GatewayError, ServerInfoSchema, type Clock } from "@cortex-os/mcp-core";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { reasonOfIssues } from "@cortex-os/mcp-registry";
import type { RegistryOperations } from "../connectors/registry-operations.js";
import { objectIn, onlyPost, run, type ControlDeps } from "./control-answers.js";
import { sendJson } from "./respond.js";
import { onlyGet, type Handler } from "./routes.js";

/** The registry that a gateway owns, as its control API changes it. */
export interface OwnedRegistry {
  readonly operations: RegistryOperations;
  /** By which it is known whether anybody still waits for a change. */
  readonly clock: Clock;
}

/**
 * The part of the control API that is about the registry. `GET /api/v1/registry` is what is in it, secrets included, `GET …/history` its changes. `POST …/upsert` takes
 * `{server, replace?}`, `…/remove` `{name}`, `…/undo` `{group?}`, `…/restore` `{atMs}`; they answer when the change is durable and in `servers.json`.
 *
 * Each change may say `untilMs`, in milliseconds since the epoch: a gateway that was suspended may read it when whoever asked has made the change without it.
 */
export function registryApi(
  deps: ControlDeps,
  { operations, clock }: OwnedRegistry,
): Readonly<Record<string, Handler>> {
  const show = (answer: () => Promise<object>): Handler =>
    onlyGet((_request, response) => {
      run(deps, response, async () => {
        sendJson(response, 200, await answer());
      });
    });
  const change = (make: (body: JsonObject) => Promise<object>): Handler =>
    onlyPost(deps, async (body: Buffer, response: ServerResponse) => {
      const asked = objectIn(body);
      assertAwaited(asked, clock);
      sendJson(response, 200, await make(asked));
    });
  return {
    "/api/v1/registry": show(() => operations.content()),
    "/api/v1/registry/history": show(async () => ({ changes: await operations.history() })),
    "/api/v1/registry/upsert": change(async ({ server, replace }) => {
      if (replace !== undefined && typeof replace !== "boolean")
        throw new GatewayError("INVALID_PARAMS", "replace must be true or false");
      const parsed = ServerInfoSchema.safeParse(server);
      if (!parsed.success)
        throw new GatewayError("USER_INPUT", `not a usable server: ${reasonOfIssues(parsed.error.issues)}`);
      return operations.put(parsed.data, { replace: replace ?? true });
    }),
    "/api/v1/registry/remove": change(async ({ name }) => {
      if (typeof name !== "string") throw new GatewayError("INVALID_PARAMS", "name must be the name of a server");
      return operations.remove(name);
    }),
    "/api/v1/registry/undo": change(async ({ group }) => {
      if (group !== undefined && typeof group !== "number")
        throw new GatewayError("INVALID_PARAMS", "group must be that of a change");
      return operations.undo(group);
    }),
    "/api/v1/registry/restore": change(async ({ atMs }) => {
      if (typeof atMs !== "number") throw new GatewayError("INVALID_PARAMS", "atMs must be a time");
      return operations.restore(atMs);
    }),
  };
}

function assertAwaited({ untilMs }: JsonObject, clock: Clock): void {
  if (untilMs === undefined) return;
  if (typeof untilMs !== "number") throw new GatewayError("INVALID_PARAMS", "untilMs must be a time");
  if (clock.now() > untilMs) throw new GatewayError("CANCELLED", "Nobody waits for this change any more");
}
