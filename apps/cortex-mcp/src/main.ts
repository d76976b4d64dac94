#!/usr/bin/env node
import nodeModule from "node:module";
import { keepCompiled } from "./compile-cache.js";
import { runProcess } from "./run-process.js";
import { run } from "./run.js";

keepCompiled(nodeModule, process.env);
await runProcess(run);
