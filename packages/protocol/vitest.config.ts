import { mergeConfig } from "vitest/config";
import { packageConfig } from "../../vitest.shared.js";

// Twenty small files that share nothing but modules: a process for each would take longer than their tests.
export default mergeConfig(packageConfig("@cortex-os/protocol"), { test: { isolate: false } });
