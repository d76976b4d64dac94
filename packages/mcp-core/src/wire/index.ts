export * from "./era-conversion.js";
export * from "./header-codec.js";
export * from "./json-rpc.js";
export * from "./meta.js";
export * from "./principal.js";
export * from "./revisions.js";
export * from "./sse.js";
export * from "./strict.js";
