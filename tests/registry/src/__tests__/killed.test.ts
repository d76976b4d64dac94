import { killRandom } from "../scenarios/kill-random.js";
import { manyWriters } from "../scenarios/many-writers.js";
import { reusedPid } from "../scenarios/reused-pid.js";
import { describeScenarios } from "./describe-scenarios.js";

describeScenarios("a registry whose processes are killed", [killRandom, manyWriters, reusedPid]);
