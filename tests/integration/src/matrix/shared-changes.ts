import { randomUUID } from "node:crypto";
import { expect, vi } from "vitest";
import type { MatrixClient } from "./matrix-client.js";
import { oneAtATime } from "./one-at-a-time.js";
import { named, timesHeard, type Trial } from "./operation.js";

/** What is told of a list that changed. */
export interface SharedChange {
  /** The end of the name that is new in the list. */
  readonly name: string;
  /** Who heard a notification that the list changed. */
  readonly heardBy: ReadonlySet<MatrixClient>;
}

/**
 * Changes each list of each upstream once, with all clients looking on: an upstream that announces change after change is asked less and less often. Nothing else
 * changes meanwhile, so that what is heard is of this change.
 */
export class SharedChanges {
  readonly #audience: (key: string) => readonly MatrixClient[];
  readonly #changes = new Map<string, Promise<SharedChange>>();

  /** @param audience who is to hear of the changes of a connector */
  constructor(audience: (key: string) => readonly MatrixClient[]) {
    this.#audience = audience;
  }

  /** @param toggle the tool that changes it */
  async of(trial: Trial, feature: string, toggle: string): Promise<SharedChange> {
    const key = `${trial.upstream.key} ${feature}`;
    const change =
      this.#changes.get(key) ?? oneAtATime(this, async () => this.#change(trial, named(trial, toggle), feature));
    this.#changes.set(key, change);
    return change;
  }

  async #change({ client, upstream }: Trial, toggle: string, feature: string): Promise<SharedChange> {
    const name = `n${randomUUID().slice(0, 8)}`;
    const notice = `notifications/${feature}/list_changed`;
    const clients = this.#audience(upstream.key);
    const before = clients.map((each) => timesHeard(each, notice));
    await client.request("tools/call", { name: toggle, arguments: { name, present: true } });
    const heard = await Promise.allSettled(
      clients.map(async (each, at) =>
        vi.waitFor(() => expect(timesHeard(each, notice)).toBeGreaterThan(before[at] ?? 0)),
      ),
    );
    return { name, heardBy: new Set(clients.filter((_, at) => heard[at]?.status === "fulfilled")) };
  }
}
