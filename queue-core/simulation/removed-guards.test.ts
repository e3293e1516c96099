/**
 * Takes away each guard of the log in turn and shows that the simulation misses it, within a bounded number of seeds
 * whose troubles are aimed at it. A guard that nobody misses is superfluous, or the simulation has to learn.
 */
import { describe, expect, it } from "vitest";
import { type Disk, type SyncReason, syncReasons } from "../src/engines/log/writing/disk.ts";
import { QueueError } from "../src/errors.ts";
import { type LogOptions, simulateLog } from "./log/simulate-log.ts";
import { noWeights } from "./machine-troubles.ts";
import { passedOn } from "./passed-on.ts";
import { withoutChecksums, withoutSync } from "./removed-guards.ts";

type Aim = Omit<LogOptions, "seed" | "wrapDisk">;

const mostSeeds = 400;
const keepAll = { snapshotBytes: 1e9, retention: { ms: 1e9, bytes: 1e9 } };
const crashes: Aim = { weights: { ...noWeights, crash: 1, crashAtStep: 2 } };
const restarts: Aim = { weights: { ...noWeights, doubleCrash: 1 }, troubleEveryMs: 300 };
/** A cut that was not synced is back once its segment was left for a new one: small segments, eager write-back. */
const fullDisks: Aim = {
  weights: { ...noWeights, fullDisk: 3, crash: 1 },
  sizes: { ...keepAll, segmentBytes: 600, reserveBytes: 6_000 },
  writeBackChance: 1,
};

const aims: Record<SyncReason, Aim> = {
  batch: crashes,
  "batch taken back": fullDisks,
  "sealed segment": { ...crashes, sizes: { ...keepAll, segmentBytes: 600 } },
  "segment header": { ...crashes, sizes: { ...keepAll, segmentBytes: 300 } },
  "segment name": { ...crashes, sizes: { ...keepAll, segmentBytes: 300 } },
  "mended tail": { ...restarts, sizes: { ...keepAll, segmentBytes: 300 } },
  "recovered names": { ...restarts, sizes: { ...keepAll, segmentBytes: 1_500 } },
  snapshot: { ...crashes, sizes: { segmentBytes: 300, snapshotBytes: 500 } },
  "snapshot name": { ...crashes, sizes: { segmentBytes: 300, snapshotBytes: 500, retention: { ms: 1, bytes: 1 } } },
  "made directory": crashes,
  reserve: {
    weights: { ...noWeights, fullDisk: 1, crash: 1 },
    sizes: { ...keepAll, segmentBytes: 20_000, reserveBytes: 16_000 },
    writeBackChance: 0,
    troubleEveryMs: 60,
  },
};

/** The first seed that notices, and which rule it names. */
async function noticed(aim: Aim, wrapDisk: (disk: Disk) => Disk): Promise<string> {
  for (let seed = 1; seed <= mostSeeds; seed++) {
    const { violation } = await simulateLog({ ...aim, seed: `guards ${seed}`, wrapDisk });
    if (violation !== undefined) return violation.rule;
  }
  return `not noticed by ${mostSeeds} seeds`;
}

const stored =
  /^(an undamaged log opens|what was acknowledged is there after a restart|what is read is what was stored)$/;

describe("every sync is missed when it is taken away", () => {
  it.each(syncReasons.filter((reason) => reason !== "reserve"))("%s", async (reason) => {
    expect(await noticed(aims[reason], (disk) => withoutSync(disk, reason))).toMatch(stored);
  });

  it("reserve", async () => {
    const rule = await noticed(aims.reserve, (disk) => withoutSync(disk, "reserve"));
    expect(rule).toBe("acknowledgements have room on a full disk");
  });

  it("and so are the checksums of batches", async () => {
    expect(await noticed(crashes, withoutChecksums)).toMatch(stored);
  });

  it("while nothing is missed where every guard is there", async () => {
    for (const aim of new Set(Object.values(aims))) {
      for (let seed = 1; seed <= 10; seed++) {
        const { violation } = await simulateLog({ ...aim, seed: `guards ${seed}` });
        expect(violation).toBeUndefined();
      }
    }
  });
});

it("a log that takes no publishes after its disk was healed is noticed", async () => {
  const { violation } = await simulateLog({
    seed: "deaf",
    wrapEngine: (engine) =>
      passedOn(engine, {
        commit: (commit) =>
          commit.append === undefined ? engine.commit(commit) : Promise.reject(new QueueError("STORAGE_FULL")),
      }),
  });
  expect(violation).toMatchObject({ rule: "a healed system does all its work", detail: "nobody could publish" });
});
