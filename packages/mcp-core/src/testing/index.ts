export * from "./fixed-random.js";
export * from "./manual-time.js";
export * from "./recording-logger.js";
