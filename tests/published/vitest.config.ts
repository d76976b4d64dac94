import { packageConfig } from "../../vitest.shared.js";

export default packageConfig("@cortex-os/published-servers", { coveragePercent: 0 });
