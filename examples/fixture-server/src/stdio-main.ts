#!/usr/bin/env node
import { nodeProcess } from "./main/node-process.js";
import { runStdio } from "./main/run-stdio.js";

process.exitCode = await runStdio(nodeProcess);
