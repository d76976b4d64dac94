import { createServer } from "node:http";
import { Crowd } from "./crowd.js";
import { isClientKind } from "./many-heard.js";
import { sayWhere } from "./say-where.js";

/**
 * Many clients of a gateway in one process.
 * Usage: node many-clients-main.js URL COUNT KIND. Prints a URL when all are there; a GET of it answers with what they heard, a DELETE begins to count anew.
 */
const [gateway = "", count = "", kind = ""] = process.argv.slice(2);
if (!isClientKind(kind)) throw new Error(`there are no clients of kind ${kind}`);
const crowd = new Crowd(gateway, Number(count), kind);
await crowd.open();
sayWhere(
  createServer(({ method }, response) => {
    if (method === "DELETE") crowd.forget();
    response.end(JSON.stringify(crowd.heard()));
  }),
);
