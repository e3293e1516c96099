import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ManualClock, manualClock } from "../src/engines/clock.ts";
import { openLogEngine } from "../src/engines/log/open-log-engine.ts";
import { nodeDisk } from "../src/engines/log/writing/disk.ts";
import { createMemoryEngine } from "../src/engines/memory.ts";
import type { EngineHarness } from "./engine-harness.ts";
import { engineConformance } from "./engine-suite.ts";
import { overPort } from "./over-port.ts";

engineConformance({ title: "ported memory", durable: false }, async () => {
  const clock = manualClock();
  const engine = await overPort(createMemoryEngine({ clock }), clock);
  return {
    engine,
    passTime: async (milliseconds) => clock.advance(milliseconds),
    reopen: () => Promise.reject(new Error("nothing survives")),
    dispose: () => engine.close(),
  };
});

engineConformance({ title: "ported log", durable: true }, async () => {
  const directory = mkdtempSync(join(tmpdir(), "queue log "));
  return openHarness(directory, manualClock());
});

async function openHarness(directory: string, clock: ManualClock): Promise<EngineHarness> {
  const open = async () => overPort(await openLogEngine({ directory, clock, disk: nodeDisk }), clock);
  let engine = await open();
  const harness: EngineHarness = {
    engine,
    passTime: async (milliseconds) => clock.advance(milliseconds),
    async reopen() {
      await engine.close();
      engine = await open();
      return { ...harness, engine };
    },
    async dispose() {
      await engine.close();
      rmSync(directory, { recursive: true });
    },
  };
  return harness;
}
