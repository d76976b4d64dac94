export * from "./byte-budget.js";
export * from "./link.js";
export type * from "./runtime/exchange.js";
export type * from "./runtime/forward.js";
export type { ToolList } from "./runtime/list-tools.js";
export type * from "./runtime/proxy-state.js";
export * from "./runtime/remote-proxy.js";
export type { RemoteProxyOptions, RemoteProxyPorts } from "./runtime/remote-proxy-options.js";
export * from "./runtime/remote-tool-proxy.js";
