import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ManualClock, manualClock } from "../src/engines/clock.ts";
import { openLogEngine } from "../src/engines/log/open-log-engine.ts";
import { nodeDisk } from "../src/engines/log/writing/disk.ts";
import type { EngineHarness } from "./engine-harness.ts";
import { engineConformance } from "./engine-suite.ts";

engineConformance({ title: "log", durable: true }, async () => {
  const directory = mkdtempSync(join(tmpdir(), "queue log "));
  return openHarness(directory, manualClock());
});

/** On real files, written in this thread: a thread for each test would take ten times as long. */
async function openHarness(directory: string, clock: ManualClock): Promise<EngineHarness> {
  const options = { directory, clock, disk: nodeDisk, reserveBytes: 64 * 1024 };
  let engine = await openLogEngine(options);
  const harness: EngineHarness = {
    engine,
    passTime: async (milliseconds) => clock.advance(milliseconds),
    async reopen() {
      await engine.close();
      engine = await openLogEngine(options);
      return { ...harness, engine };
    },
    async dispose() {
      await engine.close();
      rmSync(directory, { recursive: true });
    },
  };
  return harness;
}
