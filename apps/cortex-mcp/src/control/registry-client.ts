import type { ChangesResult, PutOptions, PutResult, RegistryContent, RemoveResult } from "@cortex-os/mcp";
import type { ServerInfo } from "@cortex-os/mcp-core";
import type { RegistryChange } from "@cortex-os/mcp-registry";
import type { z } from "zod";
import type { SystemPorts } from "../io.js";
import type { RunningGateway } from "../state/running-gateway.js";
import { ControlClient } from "./control-client.js";
import {
  ChangesResultSchema,
  PutResultSchema,
  RegistryContentSchema,
  RegistryHistorySchema,
  RemoveResultSchema,
} from "./registry-views.js";

/** How long the owner of the registry is waited for, in milliseconds: without it the same can be done directly. */
const PATIENCE_MS = 2_000;

/**
 * The registry through the running gateway, which owns it. Every method throws {@link SilentGatewayError} when it does not answer in time, else `CallError`.
 *
 * A change is told until when it is waited for: a gateway that was suspended and reads it later must not make a change that was made without it.
 */
export class RegistryClient {
  readonly #client: ControlClient;
  readonly #clock: SystemPorts["clock"];

  constructor(gateway: RunningGateway, { timers, clock }: Pick<SystemPorts, "timers" | "clock">) {
    this.#client = new ControlClient(gateway, timers);
    this.#clock = clock;
  }

  content(): Promise<RegistryContent> {
    return this.#client.askWithin(PATIENCE_MS, { method: "GET", path: "/api/v1/registry" }, RegistryContentSchema);
  }

  put(server: ServerInfo, options: PutOptions = {}): Promise<PutResult> {
    return this.#change("upsert", { server, ...options }, PutResultSchema);
  }

  remove(name: string): Promise<RemoveResult> {
    return this.#change("remove", { name }, RemoveResultSchema);
  }

  async history(): Promise<readonly RegistryChange[]> {
    const question = { method: "GET", path: "/api/v1/registry/history" } as const;
    const { changes } = await this.#client.askWithin(PATIENCE_MS, question, RegistryHistorySchema);
    return changes;
  }

  undo(group: number): Promise<ChangesResult> {
    return this.#change("undo", { group }, ChangesResultSchema);
  }

  restore(atMs: number): Promise<ChangesResult> {
    return this.#change("restore", { atMs }, ChangesResultSchema);
  }

  #change<T>(what: string, asked: object, schema: z.ZodType<T>): Promise<T> {
    const body = { ...asked, untilMs: this.#clock.now() + PATIENCE_MS };
    return this.#client.askWithin(PATIENCE_MS, { method: "POST", path: `/api/v1/registry/${what}`, body }, schema);
  }
}
