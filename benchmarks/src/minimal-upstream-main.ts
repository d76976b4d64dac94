import { minimalHttp } from "./minimal-http.js";
import { MinimalServer } from "./minimal-server.js";
import { minimalStdio } from "./minimal-stdio.js";
import { serve } from "./serve.js";

/** A {@link MinimalServer} as a process. Usage: node minimal-upstream-main.js modern|legacy [stdio]. Over HTTP it prints the URL it serves. */
const minimal = new MinimalServer(process.argv[2] === "legacy" ? "legacy" : "modern");
if (process.argv[3] === "stdio") minimalStdio(minimal, process.stdin, process.stdout);
else serve(minimalHttp(minimal));
