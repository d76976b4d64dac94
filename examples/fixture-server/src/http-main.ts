#!/usr/bin/env node
import { nodeProcess } from "./main/node-process.js";
import { runHttp } from "./main/run-http.js";

process.exitCode = await runHttp(nodeProcess);
