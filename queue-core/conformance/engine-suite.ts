/** The conformance suite of the `Engine` port: written once, run on every engine. */
import { describe } from "vitest";
import { commitConformance } from "./engine-commits.ts";
import type { EngineFeatures, OpenHarness } from "./engine-harness.ts";
import { leaseConformance } from "./engine-leases.ts";
import { readConformance } from "./engine-reads.ts";
import { stateConformance } from "./engine-state.ts";

export function engineConformance(features: EngineFeatures, open: OpenHarness): void {
  describe(`the ${features.title} engine`, () => {
    commitConformance(features, open);
    readConformance(features, open);
    stateConformance(features, open);
    leaseConformance(features, open);
  });
}
