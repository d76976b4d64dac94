import { cutFiles } from "../scenarios/cut-files.js";
import { flippedBits } from "../scenarios/flipped-bits.js";
import { overwrites } from "../scenarios/overwrites.js";
import { describeScenarios } from "./describe-scenarios.js";

describeScenarios("a registry whose files are damaged", [cutFiles, flippedBits, overwrites]);
