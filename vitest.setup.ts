import { vi } from "vitest";

/** As generous as the bounds of a test: vitest's own second is not enough for a process that starts on two busy cores. */
const PATIENCE_MS = 10_000;

const { waitFor } = vi;
vi.waitFor = async (callback, options) =>
  waitFor(callback, typeof options === "number" ? options : { timeout: PATIENCE_MS, ...options });
