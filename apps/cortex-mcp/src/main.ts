#!/usr/bin/env node
import { runProcess } from "./run-process.js";
import { run } from "./run.js";

await runProcess(run);
