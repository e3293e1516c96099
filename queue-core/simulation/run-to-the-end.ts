/**
 * The course of every run:
 *
 *     trouble and clients ──► heal ──► drain ──► stop in order ──► power loss ──► start ──► audit
 *
 * What can go wrong: a run that stops early, or in which nothing happened, passes every check. A healed system that
 * does not come to rest, a queue that does not stop, and a run without troubles are violations of their own.
 */
import type { Machine } from "./machine.ts";
import type { MachineTroubles } from "./machine-troubles.ts";
import type { RunResult } from "./run.ts";
import type { Troubles } from "./troubles.ts";
import type { World } from "./world.ts";

/** Virtual ms in which a healed system must have done all its work, and in which it must stop. */
const limits = { drainMs: 240_000, stopMs: 60_000 };

export interface Course {
  readonly seed: string;
  readonly world: World;
  readonly machine: Machine;
  readonly machineTroubles: MachineTroubles;
  readonly troubles: Troubles;
  readonly activeMs: number;
  /** From now on nothing fails but by the system's own fault. */
  heal(): void;
  /** Undefined once there is nothing left to do. */
  whatIsLeft(): Promise<string | undefined>;
  /** Stops everything in order; resolves with the names of those that left a timer behind. */
  stop(): Promise<readonly string[]>;
  /** Judges the whole run; counts what happened. `isVacuous`: too little for the verdict to mean anything. */
  audit(): { readonly isVacuous: boolean };
  counts(): Readonly<Record<string, number>>;
}

export async function runToTheEnd(course: Course): Promise<RunResult> {
  const { seed, world, machine, troubles, activeMs } = course;
  machine.boot();
  troubles.start();
  world.after(activeMs, "healing", () => heal(course));
  await world.run();
  if (!world.hasStopped) world.fail("a run comes to its end", "nothing is left that would happen");
  if (world.violation === undefined) {
    const { isVacuous } = course.audit();
    if (isVacuous || troubles.counts.size === 0 || machine.history.acknowledged === 0)
      world.fail("a run is not vacuous", JSON.stringify(course.counts()));
  }
  const { starts, deaths, reports, history } = machine;
  const counts = {
    steps: world.steps,
    virtualMs: Math.round(world.nowMs),
    commits: history.acknowledged,
    starts,
    deaths,
    snapshots: reports.get("snapshot taken") ?? 0,
    removals: reports.get("segments removed") ?? 0,
    ...course.counts(),
  };
  return { seed, violation: world.violation, hash: world.trace.hash, lines: world.trace.lines, counts };
}

function heal(course: Course): void {
  const { world, machine, machineTroubles } = course;
  machineTroubles.heal();
  course.heal();
  const sinceMs = world.nowMs;
  const isLeft = (left: string | undefined): void => {
    if (left === undefined) finish(course).catch((error: unknown) => world.fail("everything stops", String(error)));
    else if (world.nowMs - sinceMs < limits.drainMs) look();
    else world.fail("a healed system does all its work", left);
  };
  const look = (): void => {
    world.after(100, "is all work done?", () => {
      if (!machine.isUp) isLeft(`the machine is down: ${machine.bootRefusedBy}`);
      else course.whatIsLeft().then(isLeft, (error: unknown) => isLeft(String(error)));
    });
  };
  look();
}

async function finish({ world, machine, stop }: Course): Promise<void> {
  const late = world.after(limits.stopMs, "stopping", () => world.fail("a queue stops in time", `${limits.stopMs} ms`));
  const left = await stop();
  if (left.length > 0) world.fail("nothing runs on after stop", `timers of ${left.join(", ")}`);
  await machine.shutDown();
  late();
  machine.turnOn(() => world.stop());
}
