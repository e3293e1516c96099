import { describe, expect, it } from "vitest";
import { Gate } from "./gate.ts";
import { GatedTimers } from "./gated-timers.ts";
import { Random } from "./random.ts";
import { World } from "./world.ts";

const orderOf = async (seed: string): Promise<string> => {
  const world = new World(new Random(seed));
  const order: string[] = [];
  for (const name of ["a", "b", "c", "d", "e", "f"]) world.after(10, name, () => order.push(name));
  world.after(5, "early", () => order.push("early"));
  await world.run();
  return order.join(" ");
};

describe("the simulated world", () => {
  it("runs events in the order of their times, and equal times in an order of the seed", async () => {
    expect(await orderOf("one")).toBe(await orderOf("one"));
    expect(await orderOf("one")).toMatch(/^early /);
    const orders = new Set(await Promise.all(["1", "2", "3", "4", "5"].map(orderOf)));
    expect(orders.size).toBeGreaterThan(1);
  });

  it("lets every microtask run before the next event, however long their chain", async () => {
    const world = new World(new Random("chain"));
    const order: string[] = [];
    world.after(1, "first", async () => {
      for (let step = 0; step < 1_000; step++) await undefined;
      order.push("chain");
    });
    world.after(1.000_001, "second", () => order.push("second"));
    await world.run();
    expect(order).toEqual(["chain", "second"]);
  });

  it("stops at the first violation, also one that is thrown or rejected unheard", async () => {
    const thrown = new World(new Random("thrown"));
    thrown.after(1, "bad", () => {
      throw new Error("a bug");
    });
    thrown.after(2, "later", () => expect.unreachable());
    await thrown.run();
    expect(thrown.violation).toMatchObject({ rule: "no event throws", atMs: 1 });
    thrown.fail("another", "later");
    expect(thrown.violation?.rule).toBe("no event throws");
  });

  it("cancels events, and goes on where it stopped", async () => {
    const world = new World(new Random("cancel"));
    const seen: number[] = [];
    world.after(1, "one", () => seen.push(world.nowMs));
    world.after(2, "two", () => seen.push(world.nowMs))();
    world.after(3, "three", () => seen.push(world.nowMs));
    await world.run(2);
    expect(seen).toEqual([1]);
    await world.run();
    expect(seen).toEqual([1, 3]);
  });

  it("gives each name a stream of chance of its own, whatever others draw", () => {
    const one = new Random("seed");
    const other = new Random("seed");
    other.next();
    other.fork("b").next();
    expect(one.fork("a").next()).toBe(other.fork("a").next());
    expect(one.fork("a").next()).not.toBe(one.fork("b").next());
    const draws = Array.from({ length: 10_000 }, () => one.below(10));
    for (let value = 0; value < 10; value++) {
      expect(draws.filter((draw) => draw === value).length).toBeGreaterThan(850);
    }
  });
});

describe("the gate of a simulated process", () => {
  it("keeps what comes while it stalls in order, lets it through one event at a time, and newcomers after it", async () => {
    const world = new World(new Random("gate"));
    const gate = new Gate(world, "p");
    const seen: string[] = [];
    gate.pass(() => seen.push("at once"));
    gate.stall();
    for (const name of ["a", "b", "c"]) gate.pass(() => seen.push(name));
    expect(seen).toEqual(["at once"]);
    gate.resume();
    gate.pass(() => seen.push("newcomer"));
    await world.run();
    expect(seen).toEqual(["at once", "a", "b", "c", "newcomer"]);
  });

  it("lets nothing through once it ended, and tells so", async () => {
    const world = new World(new Random("gate"));
    const gate = new Gate(world, "p");
    const timers = new GatedTimers(world, gate);
    let told = false;
    gate.ended.then(() => {
      told = true;
    });
    timers.after(10, () => expect.unreachable());
    gate.end();
    gate.pass(() => expect.unreachable());
    gate.resume();
    await world.run();
    expect(told).toBe(true);
  });

  it("counts the timers that are left", async () => {
    const world = new World(new Random("timers"));
    const timers = new GatedTimers(world, new Gate(world, "p"));
    const cancel = timers.after(10, () => {});
    timers.after(20, () => {});
    expect(timers.pending).toBe(2);
    cancel();
    cancel();
    expect(timers.pending).toBe(1);
    await world.run();
    expect(timers.pending).toBe(0);
  });
});
