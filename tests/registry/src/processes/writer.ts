import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { WriterOrder } from "./writer-script.js";

const MAIN = fileURLToPath(new URL("../../dist/processes/writer-main.js", import.meta.url));
const ACKNOWLEDGED = "+".codePointAt(0);

/** How a writer ended. */
export interface WriterEnd {
  /** How many changes it acknowledged. */
  readonly acknowledged: number;
  readonly signal: NodeJS.Signals | null;
  readonly code: number | null;
  /** What it said on stderr. */
  readonly complaint: string;
}

/** A process that changes a registry. */
export class Writer {
  readonly order: WriterOrder;
  readonly #child;
  readonly #end: Promise<WriterEnd>;
  readonly #waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  #acknowledged = 0;
  #complaint = "";

  constructor(order: WriterOrder) {
    this.order = order;
    this.#child = spawn(process.execPath, [MAIN, JSON.stringify(order)], { stdio: ["ignore", "pipe", "pipe"] });
    this.#child.stdout.on("data", (bytes: Buffer) => {
      this.#acknowledged += bytes.filter((byte) => byte === ACKNOWLEDGED).length;
      this.#tell(false);
    });
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#complaint += text;
    });
    this.#end = once(this.#child, "close").then(([code, signal]: unknown[]) => {
      this.#tell(true);
      return {
        acknowledged: this.#acknowledged,
        code: typeof code === "number" ? code : null,
        signal: (signal ?? null) as NodeJS.Signals | null,
        complaint: this.#complaint,
      };
    });
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Resolves when it has acknowledged so many changes, or ended. */
  async reached(count: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#waiting.push({ count, resolve });
      this.#tell(this.#child.exitCode !== null);
    });
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** Resolves when it is gone and everything it said was heard. */
  ended(): Promise<WriterEnd> {
    return this.#end;
  }

  #tell(isOver: boolean): void {
    for (const waiting of [...this.#waiting]) {
      if (!isOver && this.#acknowledged < waiting.count) continue;
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      waiting.resolve();
    }
  }
}
