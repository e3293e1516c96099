import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { StoredHistory } from "../format/stored-history.ts";
import { allTexts, temporaryDirectory } from "../log-bed.ts";
import { openLogEngine } from "../open-log-engine.ts";
import { type Account, hear, startChild } from "./child-run.ts";

const rounds = 20;
/** Of one round. What two rounds store is looked at before retention may drop it. */
const messages = 1_200;
const roundsBetweenLooks = 2;
const writers = 16;

/** A linear congruential generator: numbers from 0 to below `end`. */
function randomOf(seed: number): (end: number) => number {
  let state = seed >>> 0;
  return (end) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * end);
  };
}

/** While it starts, while it works, after so much was acknowledged, and around what follows a snapshot. */
const moments = ["starting", "working", "acknowledged", "upkeep"] as const;

/** Ends the child at some moment, which the numbers decide. */
async function killed(child: ChildProcess, random: (end: number) => number, startMs: number): Promise<Account> {
  const kill = () => child.kill("SIGKILL");
  onTestFinished(() => void kill());
  const moment = moments[random(moments.length)];
  const killedAtLine = 1 + random(600);
  const waitMs = moment === "upkeep" ? random(10) : random(150);
  // On a slow machine what is waited for may not come; it is killed all the same.
  let timer = setTimeout(kill, moment === "starting" ? random(1.5 * startMs) : 10_000);
  const account = await hear(child, ({ lines, snapshots }) => {
    if (moment === "acknowledged" && lines === killedAtLine) kill();
    if ((moment === "working" && lines === 1) || (moment === "upkeep" && snapshots === 1)) {
      clearTimeout(timer);
      timer = setTimeout(kill, waitMs);
    }
  });
  clearTimeout(timer);
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
      const child = startChild({
        directory,
        round,
        writers,
        messages,
        parts: ["acknowledge", "decide", "upkeep"],
        compiled,
      });
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
    expect(history.decided).toBeGreaterThan(rounds * 2);
    // What was killed were also snapshots, and starts from them.
    expect(readdirSync(directory).some((name) => name.endsWith(".snapshot"))).toBe(true);
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
