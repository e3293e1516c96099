/**
 * Faults of a process: SIGKILL, a loop of them, SIGSTOP for longer than one lease and than three.
 *
 * What can go wrong with the fault itself: the process ended just before and its number names nobody, or another
 * one. So a strike looks the process up in the system's list, and its evidence is that the process really stopped or
 * that another one has taken its place.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Fault, Ground, Struck } from "./fault.ts";

/** Of queue-core's default: 3 s. */
const leaseMs = 3_000;
const backWithinMs = 30_000;
const killsInALoop = 3;

export function processFaults(target: string): readonly Fault[] {
  return [
    { name: `kill ${target}`, lengthMs: 0, impossible: undefined, strike: (ground) => kill(ground, target, 1) },
    {
      name: `restart loop of ${target}`,
      lengthMs: 0,
      impossible: undefined,
      strike: (ground) => kill(ground, target, killsInALoop),
    },
    freeze(target, "one lease", 1.2 * leaseMs),
    freeze(target, "three leases", 3.2 * leaseMs),
  ];
}

async function kill(ground: Ground, target: string, times: number): Promise<Struck> {
  let killed = 0;
  const strikeOnce = (): number => {
    const pid = mustRun(ground, target);
    process.kill(pid, "SIGKILL");
    killed++;
    return pid;
  };
  let last = strikeOnce();
  return {
    async heal() {
      for (let again = 1; again < times; again++) {
        await untilBack(ground, target, last);
        last = strikeOnce();
      }
      await untilBack(ground, target, last);
    },
    evidence: () => (pidOf(ground, target) === last ? undefined : `killed ${killed} times, and back`),
  };
}

function freeze(target: string, howLong: string, lengthMs: number): Fault {
  return {
    name: `freeze ${target} for more than ${howLong}`,
    lengthMs,
    impossible: process.platform === "win32" ? "Windows stops no process by a signal" : undefined,
    async strike(ground) {
      const pid = mustRun(ground, target);
      process.kill(pid, "SIGSTOP");
      const wasStopped = process.platform !== "linux" || (await becomesStopped(pid));
      return {
        heal: async () => {
          if (pidOf(ground, target) === pid) process.kill(pid, "SIGCONT");
        },
        evidence: () => (wasStopped ? `stood still for ${lengthMs} ms` : undefined),
      };
    },
  };
}

/** A signal is delivered when the process's threads come to it. */
async function becomesStopped(pid: number): Promise<boolean> {
  for (let tries = 0; tries < 100; tries++) {
    if (/^\d+ \(.*\) T/s.test(readFileSync(`/proc/${pid}/stat`, "utf8"))) return true;
    await sleep(10);
  }
  return false;
}

function mustRun(ground: Ground, target: string): number {
  const pid = pidOf(ground, target);
  if (pid === undefined) throw new Error(`${target} does not run`);
  return pid;
}

/** Of PostgreSQL and Redis the server itself, not the process that holds it. */
export function pidOf({ system }: Ground, target: string): number | undefined {
  if (target === "postgres") return postmasterOf(system.dataDir);
  const pid = system.processes.find(({ name }) => name === target)?.pid;
  return target === "redis" && pid !== undefined ? redisBelow(pid) : pid;
}

/** The holder's shell has it for a child. Undefined while it is not there, or where this system does not tell. */
function redisBelow(pid: number): number | undefined {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean);
    for (const child of children.map(Number)) {
      if (/^(redis|valkey)-/.test(readFileSync(`/proc/${child}/comm`, "utf8"))) return child;
      const below = redisBelow(child);
      if (below !== undefined) return below;
    }
  } catch {
    // It ended while it was looked at.
  }
  return undefined;
}

function postmasterOf(dataDir: string): number | undefined {
  try {
    const pid = Number(readFileSync(join(dataDir, "postgres", "postmaster.pid"), "utf8").split("\n")[0]);
    process.kill(pid, 0);
    return pid;
  } catch {
    return undefined;
  }
}

/** Another process has its place, and the system says that it is ready. */
async function untilBack(ground: Ground, target: string, killed: number): Promise<void> {
  const untilMs = performance.now() + backWithinMs;
  for (;;) {
    const pid = pidOf(ground, target);
    if (pid !== undefined && pid !== killed && (await isReady(ground))) return;
    if (performance.now() > untilMs) throw new Error(`${target} was not back within ${backWithinMs / 1_000} s`);
    await sleep(50, undefined, { signal: ground.signal });
  }
}

export async function isReady({ system, signal }: Ground): Promise<boolean> {
  try {
    const call = AbortSignal.any([signal, AbortSignal.timeout(2_000)]);
    const answer = await fetch(`${system.url}/readyz`, { signal: call });
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}
