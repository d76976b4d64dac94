import { exampleProgram } from "./example/example-program.js";
import { runProcess } from "./run-process.js";

await runProcess(exampleProgram);
