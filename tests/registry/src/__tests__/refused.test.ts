import { faults } from "../scenarios/faults.js";
import { failedSync } from "../scenarios/failed-sync.js";
import { fullDisk } from "../scenarios/full-disk.js";
import { describeScenarios } from "./describe-scenarios.js";

describeScenarios("a registry whose disk refuses", [faults, failedSync, fullDisk]);
