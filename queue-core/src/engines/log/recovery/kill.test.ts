import { type ChildProcess, spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { StoredHistory } from "../format/stored-history.ts";
import { allTexts, append, temporaryDirectory } from "../log-bed.ts";
import { openLogEngine } from "../open-log-engine.ts";
import { type Account, hear, startChild } from "./child-run.ts";

const rounds = Number(process.env.KILL_ROUNDS ?? 20);
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

  it(
    "loses nothing acknowledged, invents nothing, keeps order and state, and decides once",
    async () => {
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
    },
    rounds * 6_000,
  );

  it("has nothing to do with an engine that is idle: it keeps no process alive, though nobody closed it", async () => {
    const directory = temporaryDirectory();
    const { code } = await hear(startChild({ directory, round: 0, writers: 0, compiled }));
    expect(code).toBe(0);
    const engine = await openLogEngine({ directory });
    onTestFinished(() => engine.close());
    expect(await allTexts(engine, 0, "raw")).toEqual(["0.0.0"]);
  });
});

/** Why processes cannot be given namespaces of their own here; undefined where they can. */
function whyNoNamespaces(): string | undefined {
  if (process.platform !== "linux") return "pid namespaces are Linux's";
  const run = spawnSync("unshare", [...ownNamespace, "true"], { encoding: "utf8" });
  return run.status === 0 ? undefined : `unshare does not run: ${run.error?.message ?? run.stderr.trim()}`;
}

const ownNamespace = ["-p", "-f", "--mount-proc", "--kill-child"];

describe("two owners in containers that share a directory", () => {
  const why = whyNoNamespaces();

  it("are one: the second is LOCKED, and one that was stopped until it was driven out stores nothing more", async ({
    skip,
  }) => {
    skip(why !== undefined, why);
    const directory = temporaryDirectory();
    const child = startChild({ directory, round: 0, writers: 2, under: ["unshare", ...ownNamespace] });
    onTestFinished(() => void child.kill("SIGKILL"));
    const owner = await new Promise<number>((resolve) => {
      const pid = () => Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim());
      child.stdout?.once("readable", () => resolve(pid()));
    });
    const heard = hear(child);
    await expect(openLogEngine({ directory })).rejects.toMatchObject({ code: "LOCKED" });
    process.kill(owner, "SIGSTOP");
    const heir = await openLogEngine({ directory });
    onTestFinished(() => heir.close());
    const found = await allTexts(heir, 0, "raw");
    process.kill(owner, "SIGCONT");
    const { told, toldBeforeFailure, code } = await heard;
    expect([code, told.length]).toEqual([3, toldBeforeFailure]);
    const acknowledged = told.filter(({ partition }) => partition === 0).map(({ text }) => text);
    expect(found).toEqual(expect.arrayContaining(acknowledged));
    await heir.commit({ append: [{ topic: "raw", partition: 0, key: "k", value: Buffer.from("the heir's") }] });
    await heir.close();
    const again = await openLogEngine({ directory });
    onTestFinished(() => again.close());
    expect(await allTexts(again, 0, "raw")).toEqual([...found, "the heir's"]);
  });

  it("are one: what the former owner had begun to write harms nothing, wherever it ends", async () => {
    const directory = temporaryDirectory();
    const owner = await openLogEngine({ directory });
    await owner.declareTopics([{ name: "t", partitions: 1 }]);
    await owner.commit(append("acknowledged"));
    await owner.close();
    const [segment = ""] = readdirSync(directory).filter((name) => name.endsWith(".segment"));
    const begun = openSync(join(directory, segment), "r+");
    writeFileSync(join(directory, "lock"), JSON.stringify({ pid: 1, started: "x", space: "elsewhere" }));
    const heir = await openLogEngine({ directory });
    await heir.commit(append("the heir's"));
    writeSync(begun, Buffer.alloc(200, "late"), 0, 200, 60);
    closeSync(begun);
    await heir.commit(append("its next"));
    await heir.close();
    const again = await openLogEngine({ directory });
    onTestFinished(() => again.close());
    expect(await allTexts(again)).toEqual(["acknowledged", "the heir's", "its next"]);
  });
});
