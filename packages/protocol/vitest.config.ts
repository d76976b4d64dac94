import { packageConfig } from "../../vitest.shared.js";

export default packageConfig("@cortex-os/protocol");
