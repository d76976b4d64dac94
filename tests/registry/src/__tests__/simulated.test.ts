import { killAtCall } from "../scenarios/kill-at-call.js";
import { powerCuts } from "../scenarios/power-cuts.js";
import { interleaved } from "../scenarios/interleaved.js";
import { model } from "../scenarios/model.js";
import { describeScenarios } from "./describe-scenarios.js";

describeScenarios("a registry on a simulated disk", [killAtCall, powerCuts, interleaved, model]);
