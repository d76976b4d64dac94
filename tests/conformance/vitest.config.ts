import { mergeConfig } from "vitest/config";
import { packageConfig } from "../../vitest.shared.js";

export default mergeConfig(packageConfig("@cortex-os/conformance-tests", { coveragePercent: 0 }), {
  test: { globalSetup: ["src/__tests__/provide-suite-node.ts"] },
});
