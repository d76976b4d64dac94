import { packageConfig } from "../../vitest.shared.js";

export default packageConfig("@cortex-os/registry-tests", { coveragePercent: 0 });
