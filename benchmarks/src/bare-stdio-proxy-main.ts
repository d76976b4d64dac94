import { bareStdioProxy } from "./bare-stdio-proxy.js";
import { serve } from "./serve.js";

/** {@link bareStdioProxy} as a process. Usage: node bare-stdio-proxy-main.js PROGRAM [ARGUMENT]… Prints the URL it serves. */
serve(bareStdioProxy(process.argv.slice(2)));
