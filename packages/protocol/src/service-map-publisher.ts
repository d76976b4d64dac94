import { createHash } from "node:crypto";
import { messageOf, type Clock, type Logger, type RandomSource, type Timers } from "@cortex-os/mcp-core";
import { MAX_CLOCK_SKEW_MS } from "./limits.js";
import { ManifestFile, type PublisherManifest } from "./manifest.js";
import type { ServiceMapPayload } from "./service-map-payload.js";
import { signServiceMap } from "./sign-manifest.js";
import type { SigningKey } from "./signing-key.js";

/** What a {@link ServiceMapPublisher} needs. */
export interface ServiceMapPublisherOptions {
  readonly manifestFile: string;
  /** The key of now. Asked again each second, so that a key rotates without a restart; when it throws, the last key goes on. */
  readonly key: () => SigningKey | Promise<SigningKey>;
  readonly clock: Clock;
  readonly timers: Timers;
  /** @default the one of `node:crypto` */
  readonly random?: RandomSource;
  readonly logger: Logger;
}

/** A signed map as it goes over the wire. */
export interface PublishedServiceMap {
  readonly body: Buffer;
  /** Strong: a digest of the body, in quotes. */
  readonly etag: string;
  readonly payload: ServiceMapPayload;
}

interface Inputs {
  readonly manifest: PublisherManifest;
  readonly key: SigningKey;
}

/** How often the files are looked at, in milliseconds. */
const LOOK_MS = 1_000;

/**
 * Keeps a signed map of a manifest file that is never older than half its TTL, by the wall clock as by timers.
 *
 * The files are read once a second instead of watched: reading a file of at most a few MiB costs next to nothing, and unlike a watch it misses no rename,
 * no symbolic link that was turned (as in a mounted ConfigMap) and no network file system.
 * A bad manifest or key is logged once, and the last good one goes on being signed. Each map's `generatedAt` is later than the last one's, whatever
 * the clock does, because gateways refuse an older map for ever.
 */
export class ServiceMapPublisher {
  readonly #options: ServiceMapPublisherOptions;
  readonly #file: ManifestFile;
  #inputs: Inputs;
  #current: PublishedServiceMap;
  #generatedAtMs: number;
  /** By the clock, which `generatedAt` may be ahead of. */
  #signedAtMs: number;
  /** One look after the other. */
  #looks: Promise<void> = Promise.resolve();
  #looking = 0;
  /** What was last logged about the files. */
  #told = "";
  #cancelTick: (() => void) | undefined;
  #closed = false;

  /**
   * Reads the manifest and the key, signs, and goes on by itself until it is closed.
   * @throws GatewayError USER_INPUT when one of them is bad
   */
  static async start(options: ServiceMapPublisherOptions): Promise<ServiceMapPublisher> {
    const file = new ManifestFile(options.manifestFile);
    const [manifest, key] = [await file.read(), await options.key()];
    return new ServiceMapPublisher(options, file, { manifest, key });
  }

  private constructor(options: ServiceMapPublisherOptions, file: ManifestFile, inputs: Inputs) {
    this.#options = options;
    this.#file = file;
    this.#inputs = inputs;
    const signed = this.#signed(inputs, 0);
    this.#current = signed.map;
    this.#generatedAtMs = signed.generatedAtMs;
    this.#signedAtMs = signed.signedAtMs;
    this.#tickLater();
  }

  /** The map to hand out now. */
  get current(): PublishedServiceMap {
    return this.#current;
  }

  /**
   * Takes the files as they are now; without a change there is no new map.
   * @throws GatewayError USER_INPUT when one of them is bad; the last good map stays
   */
  async reload(): Promise<void> {
    await this.#look();
  }

  /** Ends it. Nothing is read or signed any more from the call on. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTick?.();
    await this.#looks;
  }

  #tickLater(): void {
    this.#cancelTick?.();
    const dueMs = this.#halfLifeMs() - this.#ageMs();
    // Due already: it could not be signed. Then no sooner than the next look.
    this.#cancelTick = this.#options.timers.after(dueMs > 0 ? Math.min(LOOK_MS, dueMs) : LOOK_MS, () => {
      this.#signWhenDue();
      // A look that hangs, as on a network file system, holds up no signing.
      if (this.#looking === 0) void this.#look().catch(() => {});
      this.#tickLater();
    });
  }

  #halfLifeMs(): number {
    return (this.#current.payload.ttlSeconds * 1_000) / 2;
  }

  #ageMs(): number {
    return this.#options.clock.now() - this.#signedAtMs;
  }

  #signWhenDue(): void {
    const ageMs = this.#ageMs();
    // Negative: the clock was put back, and would say for long that nothing is due.
    if (ageMs >= 0 && ageMs < this.#halfLifeMs()) return;
    try {
      this.#publish(this.#inputs);
    } catch (error) {
      this.#options.logger.error({ err: error }, "The service map could not be signed again");
    }
  }

  #look(): Promise<void> {
    this.#looking++;
    const look = this.#looks.then(() => this.#lookOnce());
    this.#looks = look.catch(() => {}).finally(() => this.#looking--);
    return look;
  }

  async #lookOnce(): Promise<void> {
    if (this.#closed) return;
    const [manifest, key] = await Promise.allSettled([this.#file.read(), (async () => this.#options.key())()]);
    if (this.#isClosed()) return;
    const now: Inputs = {
      manifest: manifest.status === "fulfilled" ? manifest.value : this.#inputs.manifest,
      key: key.status === "fulfilled" ? key.value : this.#inputs.key,
    };
    const problems = [manifest, key].flatMap((read) => (read.status === "rejected" ? [read.reason as unknown] : []));
    try {
      if (now.manifest !== this.#inputs.manifest || !isSameKey(now.key, this.#inputs.key)) {
        this.#publish(now);
        // Its time to live may be a shorter one.
        this.#tickLater();
      }
    } catch (error) {
      problems.push(error);
    }
    this.#tell(problems);
    if (problems.length > 0) throw problems[0];
  }

  /** What happened to `#closed` while something was awaited. */
  #isClosed(): boolean {
    return this.#closed;
  }

  #tell(problems: readonly unknown[]): void {
    const reasons = problems.map(messageOf).join("; ");
    if (reasons === this.#told) return;
    this.#told = reasons;
    const { logger, manifestFile } = this.#options;
    if (reasons === "") logger.info({ manifestFile }, "Manifest and key are good again");
    // The field names it, once.
    else
      logger.error(
        { manifestFile, reason: reasons.replaceAll(` ${manifestFile} `, " ") },
        "Publishing the last good service map",
      );
  }

  #publish(inputs: Inputs): void {
    const { map, generatedAtMs, signedAtMs } = this.#signed(inputs, this.#generatedAtMs + 1);
    this.#current = map;
    this.#generatedAtMs = generatedAtMs;
    this.#signedAtMs = signedAtMs;
    this.#inputs = inputs;
    const { id, connectors } = map.payload;
    this.#options.logger.info({ id, keyId: inputs.key.kid, connectors: connectors.length }, "Signed a service map");
    if (generatedAtMs - signedAtMs <= MAX_CLOCK_SKEW_MS) return;
    this.#options.logger.warn(
      { aheadMs: generatedAtMs - signedAtMs },
      "The clock was put back: gateways refuse this service map as one from the future until the clock has caught up",
    );
  }

  #signed({ manifest, key }: Inputs, earliestMs: number) {
    const { clock, random } = this.#options;
    const signedAtMs = clock.now();
    const { body: text, payload } = signServiceMap(manifest, { key, clock, earliestMs, ...(random && { random }) });
    const body = Buffer.from(text);
    const etag = `"${createHash("sha256").update(body).digest("hex")}"`;
    return { map: { body, etag, payload }, generatedAtMs: Math.max(signedAtMs, earliestMs), signedAtMs };
  }
}

function isSameKey(a: SigningKey, b: SigningKey): boolean {
  if (a.kid !== b.kid) return false;
  if (typeof a.key === "string" || typeof b.key === "string") return a.key === b.key;
  return a.key.equals(b.key);
}
