import { sdkGateway } from "./sdk-gateway.js";
import { serve } from "./serve.js";

/** {@link sdkGateway} as a process. Usage: node sdk-gateway-main.js modern|legacy UPSTREAM_URL. Prints the URL it serves. */
serve(await sdkGateway(process.argv[2] === "legacy" ? "legacy" : "modern", new URL(process.argv[3] ?? "")));
