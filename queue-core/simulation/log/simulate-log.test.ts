import { expect, it } from "vitest";
import { Machine } from "../machine.ts";
import { Random } from "../random.ts";
import { World } from "../world.ts";
import { LogClient } from "./log-clients.ts";
import { simulateLog } from "./simulate-log.ts";

it("a run of the log alone replays exactly, and reaches snapshots, crashes and restarts", async () => {
  let snapshots = 0;
  for (const seed of ["1", "2", "3", "4", "5"]) {
    const first = await simulateLog({ seed });
    const second = await simulateLog({ seed, trace: "lines" });
    expect(first.violation).toBeUndefined();
    expect(second.hash).toBe(first.hash);
    expect(first.counts.commits).toBeGreaterThan(0);
    snapshots += first.counts.snapshots ?? 0;
  }
  expect(snapshots).toBeGreaterThan(0);
});

it("a client that finds the disk full when it comes goes on once there is room", async () => {
  const world = new World(new Random("late room"));
  let client: LogClient | undefined;
  const machine = new Machine({
    world,
    log: { reserveBytes: 2_000 },
    writeBackChance: 0,
    onUp(incarnation) {
      client = new LogClient(world, machine.history, incarnation.process("client"));
      client.run().catch((error: unknown) => world.fail("clients end well", String(error)));
    },
  });
  machine.disk.capacityBytes = 0;
  world.after(500, "there is room", () => {
    machine.disk.capacityBytes = Number.POSITIVE_INFINITY;
  });
  machine.boot();
  await world.run(500);
  expect(client?.publishes).toBe(0);
  await world.run(3_000);
  expect(world.violation).toBeUndefined();
  expect(client?.publishes).toBeGreaterThan(0);
});
