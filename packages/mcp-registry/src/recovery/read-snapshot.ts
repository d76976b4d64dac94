import { parseRegistryFile, type RegistryDocument } from "../document/registry-file.js";
import { isIntact, isNewer, type Generation, type Seal } from "../document/seal.js";

/** What the bytes of a `servers.json` are. */
export type Snapshot =
  | { readonly kind: "absent" }
  /** Neither JSON of our form nor anything that could be made one. */
  | { readonly kind: "damaged"; readonly reason: string }
  /** A newer program wrote it: nothing may be changed. */
  | { readonly kind: "newer"; readonly version: number }
  /** Exactly as we wrote it. */
  | { readonly kind: "sealed"; readonly document: RegistryDocument; readonly generation: Generation }
  /** Whole, but not as we wrote it: written or changed by somebody else. `seal` is what stands in it, if anything. */
  | { readonly kind: "loose"; readonly document: RegistryDocument; readonly seal: Seal | undefined };

/** Reads a `servers.json`. Never throws, whatever the bytes. */
export function readSnapshot(bytes: Uint8Array | undefined): Snapshot {
  if (bytes === undefined) return { kind: "absent" };
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return { kind: "damaged", reason: "it is not valid UTF-8" };
  }
  const parsed = parseRegistryFile(text);
  if (!parsed.ok) return { kind: "damaged", reason: parsed.reason };
  const { document, seal } = parsed;
  if (seal === undefined || !isIntact(seal, document)) return { kind: "loose", document, seal };
  return isNewer(seal) ? { kind: "newer", version: seal.v } : { kind: "sealed", document, generation: seal };
}
