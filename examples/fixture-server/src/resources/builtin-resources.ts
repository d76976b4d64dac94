import { PIXEL_PNG } from "../pixel.js";
import { authorityOf } from "./authority.js";
import { textRead, type Resource } from "./resource.js";

/** Which resources a server starts with. */
export interface BuiltinResourcesOptions {
  /** The server's name. */
  readonly name: string;
  /** How many generated ones to add. */
  readonly extra: number;
  /** Whether to add the one that other servers have too. */
  readonly common: boolean;
}

/** Every resource the server starts with. */
export function builtinResources({ name, extra, common }: BuiltinResourcesOptions): Resource[] {
  const base = authorityOf(name);
  return [
    text(`${base}/hello`, "hello", `hello from ${name}`),
    pixel(`${base}/pixel`),
    pair(`${base}/pair`),
    counter(`${base}/counter`),
    asking(`${base}/ask`),
    secluded(`${base}/private`),
    ...(common ? [text("fixture://common/shared", "shared", `shared, as ${name} has it`)] : []),
    ...Array.from({ length: extra }, (_, index) => {
      const number = String(index).padStart(5, "0");
      return text(`${base}/extra/${number}`, `extra_${number}`, `extra ${number} of ${name}`);
    }),
  ];
}

/** A resource of one text that stays the same. */
export const text = (uri: string, name: string, content: string): Resource => ({
  definition: {
    uri,
    name,
    title: `The text ${name}`,
    mimeType: "text/plain",
    size: Buffer.byteLength(content),
    annotations: { audience: ["user"], priority: 0.5 },
  },
  read: () => textRead(uri, content),
});

const pixel = (uri: string): Resource => ({
  definition: { uri, name: "pixel", description: "One transparent pixel.", mimeType: "image/png" },
  caching: { ttlMs: 3_600_000 },
  read: () => ({ contents: [{ uri, mimeType: "image/png", blob: PIXEL_PNG }] }),
});

/** Two contents in one read, with members that no specification knows: what passes them on must leave them alone. */
const pair = (uri: string): Resource => ({
  definition: { uri, name: "pair", description: "Two contents in one read.", _meta: { "com.example/pair": true } },
  read: () => ({
    contents: [
      { uri: `${uri}/text`, mimeType: "text/plain", text: "ünïcödé ✓ 世界", "x-extra": { kept: [1, null, "two"] } },
      {
        uri: `${uri}/blob`,
        mimeType: "application/octet-stream",
        blob: "AAEC/w==",
        _meta: { "com.example/content": "kept" },
      },
    ],
    "x-result": { kept: true },
  }),
});

/** What one caller read nobody else may be given out of a cache. */
const secluded = (uri: string): Resource => ({
  definition: { uri, name: "private", description: "Nothing for a shared cache.", mimeType: "text/plain" },
  caching: { cacheScope: "private" },
  read: () => textRead(uri, "for your eyes only"),
});

/** Says what the client answered, which is a matter of its own: nobody else may be given it. */
const asking = (uri: string): Resource => ({
  definition: { uri, name: "ask", description: "Asks for the client's roots, and tells them.", mimeType: "text/plain" },
  caching: { ttlMs: 0, cacheScope: "private" },
  async read(ask) {
    const { roots } = await ask({ roots: { kind: "roots", params: {} } });
    return textRead(uri, `The client said: ${JSON.stringify(roots)}`);
  },
});

/** Counts how often it was touched. */
function counter(uri: string): Resource {
  let count = 0;
  return {
    definition: { uri, name: "counter", description: "How often it was touched.", mimeType: "text/plain" },
    caching: { ttlMs: 0 },
    read: () => textRead(uri, String(count)),
    touch: () => {
      count += 1;
    },
  };
}
