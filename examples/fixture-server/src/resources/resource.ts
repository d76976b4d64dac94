import type { JsonObject } from "@cortex-os/mcp-core/wire";
import type { Ask } from "../asking/question.js";
import type { CachingHints } from "../features/feature.js";

/** What `resources/list` says about a resource. */
export interface ResourceDefinition {
  readonly uri: string;
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly mimeType?: string;
  readonly size?: number;
  readonly annotations?: JsonObject;
  readonly _meta?: JsonObject;
}

/** What `resources/read` gives, in the form both eras share. */
export interface ReadResult extends JsonObject {
  readonly contents: readonly JsonObject[];
}

/** One resource. */
export interface Resource {
  readonly definition: ResourceDefinition;
  /** How long and for whom a read may be kept. @default as long as the server says, for everybody */
  readonly caching?: Partial<CachingHints>;
  read(ask: Ask): ReadResult | Promise<ReadResult>;
  /** Gives it another content, where it can have one. */
  touch?(): void;
}

/** What `resources/templates/list` says about a template. */
export interface TemplateDefinition {
  readonly uriTemplate: string;
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly mimeType?: string;
}

/** Many resources under one pattern. */
export interface ResourceTemplate {
  readonly definition: TemplateDefinition;
  /** @returns `undefined` when `uri` does not follow the pattern */
  read(uri: string): ReadResult | undefined;
  /** All values of `variable` there are. */
  valuesOf(variable: string): readonly string[];
}

/** A read of one text. */
export const textRead = (uri: string, text: string): ReadResult => ({
  contents: [{ uri, mimeType: "text/plain", text }],
});
