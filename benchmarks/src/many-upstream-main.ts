import { createManyUpstreams } from "./many-upstreams.js";
import { sayWhere } from "./say-where.js";

/**
 * One process that is many upstreams, told apart by their paths.
 * Usage: node many-upstream-main.js TOOLS. Prints the URL under which they are.
 */
const tools = Number(process.argv[2]);
if (!(tools > 0)) throw new Error("how many tools has each upstream?");
sayWhere(createManyUpstreams(tools));
