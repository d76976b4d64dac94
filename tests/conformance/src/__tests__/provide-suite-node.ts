import type { TestProject } from "vitest/node";
import { findSuiteNode } from "../suite-node.js";

/** The Node that the suite runs on, or why there is none. */
export type ProvidedNode = { readonly path: string } | { readonly missing: string };

declare module "vitest" {
  interface ProvidedContext {
    suiteNode: ProvidedNode;
  }
}

/** Fetches the suite's Node once, before any test file. Where there is none the tests are skipped, but never in CI. */
export function setup(project: TestProject): void {
  try {
    project.provide("suiteNode", { path: findSuiteNode() });
  } catch (error) {
    const missing = error instanceof Error ? error.message : String(error);
    project.provide("suiteNode", { missing });
    console.warn(
      `\nThe official conformance suite needs Node 22 or later, and none can be had: ${missing}\nIts tests are SKIPPED. Run them with a newer Node.\n`,
    );
  }
}
