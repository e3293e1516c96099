/** Faults that the simulation found in the log engine, reduced to the steps that matter. */
import { expect, it } from "vitest";
import type { Engine } from "../src/engine.ts";
import { manualClock } from "../src/engines/clock.ts";
import { openLogEngine } from "../src/engines/log/open-log-engine.ts";
import { DiskFaults } from "./disk-faults.ts";
import { DiskSession } from "./disk-session.ts";
import { Random } from "./random.ts";
import { SimulatedDisk } from "./simulated-disk.ts";
import { World } from "./world.ts";

function machine() {
  const random = new Random("machine");
  // Nothing unsynced survives. Each read is answered at once (four in five are): there is no world to run.
  random.chance = (probability) => probability === 0.8;
  const disk = new SimulatedDisk(random);
  const faults = new DiskFaults();
  let session: DiskSession | undefined;
  return {
    faults,
    losePower: () => disk.losePower({ random, survival: 0 }),
    start(): Promise<Engine> {
      session?.end();
      session = new DiskSession({ disk, world: new World(random), faultOf: faults.faultOf, onCrash: () => {} });
      return openLogEngine({ directory: "/a/b/log", disk: session, clock: manualClock(), reserveBytes: 512 });
    },
  };
}

const message = (text: string) => ({ append: [{ topic: "t", partition: 0, key: "k", value: Buffer.from(text) }] });

async function texts(engine: Engine): Promise<string[]> {
  const messages = await engine.read("t", 0, 0, { maxMessages: 100 });
  return messages.map(({ value }) => value.toString());
}

it("a batch whose sync failed, and that a restarted process found in the page cache, outlives a power loss", async () => {
  const { faults, losePower, start } = machine();
  const first = await start();
  await first.declareTopics([{ name: "t", partitions: 1 }]);
  await first.commit(message("one"));
  faults.plan({ nth: 1, fault: "EIO", matches: ({ step }) => step === "datasync" });
  await expect(first.commit(message("two"))).rejects.toMatchObject({ code: "STORAGE_FAILED" });
  const second = await start();
  const found = await texts(second);
  await second.commit(message("three"));
  losePower();
  const third = await start();
  expect(await texts(third)).toEqual([...found, "three"]);
  expect(found).toEqual(["one", "two"]);
});

it("a new log outlives a power loss, with every directory above it", async () => {
  const { losePower, start } = machine();
  const first = await start();
  await first.declareTopics([{ name: "t", partitions: 1 }]);
  await first.commit(message("one"));
  losePower();
  expect(await texts(await start())).toEqual(["one"]);
});
