import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type Account, hear, startChild } from "./child-run.ts";
import { allTexts, temporaryDirectory } from "./log-bed.ts";
import { openLogEngine } from "./open-log-engine.ts";
import { StoredHistory } from "./stored-history.ts";

const rounds = 20;
const roundsBetweenLooks = 4;
const writers = 16;

/** A linear congruential generator: numbers from 0 to below `end`. */
function randomOf(seed: number): (end: number) => number {
  let state = seed >>> 0;
  return (end) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * end);
  };
}

/** Ends the child at some moment of its start or its work, which the number decides. */
async function killed(child: ChildProcess, random: (end: number) => number, startMs: number): Promise<Account> {
  const kill = () => child.kill("SIGKILL");
  onTestFinished(() => void kill());
  const lines = [1, Number.POSITIVE_INFINITY, 1 + random(600)][random(3)] as number;
  const afterLinesMs = lines === 1 ? random(150) : 0;
  let moment = lines === Number.POSITIVE_INFINITY ? setTimeout(kill, random(1.5 * startMs)) : undefined;
  const account = await hear(child, (heard) => {
    if (heard.lines === lines) moment = setTimeout(kill, afterLinesMs);
  });
  clearTimeout(moment);
  expect(account.signal).toBe("SIGKILL");
  return account;
}

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);

describe(`SIGKILL in the middle of everything, ${rounds} times (SEED=${seed})`, () => {
  const compiled = mkdtempSync(join(tmpdir(), "queue log compiled "));
  let startMs = 0;

  beforeAll(async () => {
    // Leaves the compiled modules behind, with which a start takes a third of the time.
    for (let start = 0; start < 2; start++) {
      const startedMs = performance.now();
      await hear(startChild({ directory: join(compiled, "log"), round: start, writers: 0, compiled }));
      startMs = performance.now() - startedMs;
    }
  });
  afterAll(() => rmSync(compiled, { recursive: true }));

  it("loses nothing acknowledged, invents nothing, keeps order and state, and decides once", async () => {
    const random = randomOf(seed);
    const directory = temporaryDirectory();
    const history = new StoredHistory();
    for (let round = 0; round < rounds; round++) {
      const child = startChild({ directory, round, writers, parts: ["acknowledge", "decide"], compiled });
      history.add(await killed(child, random, startMs));
      if ((round + 1) % roundsBetweenLooks !== 0) continue;
      const engine = await openLogEngine({ directory });
      try {
        await history.verify(engine);
      } finally {
        await engine.close();
      }
    }
    expect(history.acknowledged).toBeGreaterThan(rounds * 20);
  }, 120_000);

  it("has nothing to do with an engine that is idle: it keeps no process alive, though nobody closed it", async () => {
    const directory = temporaryDirectory();
    const { code } = await hear(startChild({ directory, round: 0, writers: 0, compiled }));
    expect(code).toBe(0);
    const engine = await openLogEngine({ directory });
    onTestFinished(() => engine.close());
    expect(await allTexts(engine, 0, "raw")).toEqual(["0.0.0"]);
  });
});
