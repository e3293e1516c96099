import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createMemoryEngine,
  createSharedTokenBucket,
  manualClock,
  QueueError,
  type SharedTokenBucket,
  type TokenRate,
} from "../src/index.ts";
import { leftOpen, ManualTimers, onEveryEngine, turn, withOverrides } from "./queue-bed.ts";

interface Take {
  readonly atMs: number;
  readonly tokens: number;
}

/** The most tokens above `rate × time` in any interval between two takes; takes are in the order of time. */
function mostAbove(takes: readonly Take[], ratePerSecond: number): number {
  let most = 0;
  for (const [index, { atMs: startMs }] of takes.entries()) {
    let sum = 0;
    for (let end = index; end < takes.length; end++) {
      const { atMs, tokens } = takes[end] as Take;
      sum += tokens;
      most = Math.max(most, sum - (ratePerSecond * (atMs - startMs)) / 1_000);
    }
  }
  return most;
}

async function turns(): Promise<void> {
  for (let n = 0; n < 12; n++) await turn();
}

onEveryEngine("shared token buckets", (bed) => {
  const open = (rate: TokenRate, name = "purchases", engine = bed().engine) =>
    createSharedTokenBucket({
      engine,
      name,
      ...rate,
      timers: bed().timers,
      onBackgroundError: (where, error) => bed().faults.push({ where, error }),
    });
  /** Asks each taker for single tokens all the time; what it was given, in the order of time. */
  const drive = async (takers: readonly SharedTokenBucket[], forMs: number, stepMs = 20): Promise<Take[]> => {
    const takes: Take[] = [];
    for (let passedMs = 0; passedMs < forMs; passedMs += stepMs) {
      for (const taker of takers) {
        for (let n = 0; n < 50 && taker.take().ok; n++) takes.push({ atMs: bed().engine.now(), tokens: 1 });
      }
      bed().timers.advance(stepMs);
      await bed().settle();
    }
    return takes;
  };
  const sum = (takes: readonly Take[]) => takes.reduce((total, { tokens }) => total + tokens, 0);

  it("wait for the claim under way where hands are empty, and not where the bucket is", async () => {
    const taker = await open({ ratePerSecond: 100, burst: 640 });
    for (let n = 0; taker.take().ok; n++) expect(n).toBeLessThan(640);
    const waiting = Array.from({ length: 50 }, () => taker.takeClaimed());
    await bed().settle();
    expect((await Promise.all(waiting)).map(({ ok }) => ok)).not.toContain(false);
    for (let n = 0; (await taker.takeClaimed()).ok; n++) expect(n).toBeLessThan(640);
    expect(await taker.takeClaimed()).toMatchObject({ ok: false });
    expect(taker.statistics().taken).toBeGreaterThan(300);
    await taker.stop();
  });

  it("give one taker the whole rate, and many together the same, never more", async () => {
    const rate = { ratePerSecond: 1_000, burst: 200 };
    const one = await open(rate, "one");
    const alone = await drive([one], 1_000);
    expect(sum(alone)).toBeGreaterThan(950);
    expect(mostAbove(alone, 1_000)).toBeLessThanOrEqual(200);
    const many = await Promise.all(Array.from({ length: 5 }, () => open(rate, "many")));
    const shared = await drive(many, 1_000);
    expect(sum(shared)).toBeGreaterThan(950);
    expect(mostAbove(shared, 1_000)).toBeLessThanOrEqual(200);
    for (const taker of many) expect(taker.statistics().taken).toBeGreaterThan(0);
    await Promise.all([one, ...many].map((taker) => taker.stop()));
  });

  it("have a token in hand for a taker that is seldom asked, and tell when the next one is there", async () => {
    const bucket = await open({ ratePerSecond: 5, burst: 10 });
    for (let n = 0; n < 20; n++) {
      expect(bucket.take()).toEqual({ ok: true });
      bed().timers.advance(400);
      await bed().settle();
    }
    const refused = bucket.take(11);
    expect(refused).toMatchObject({ ok: false });
    expect((refused as { retryAfterMs: number }).retryAfterMs).toBeGreaterThan(0);
    await bucket.stop();
  });

  it("let an idle taker hold less and less, plan nothing after a while, and serve it again when it comes back", async () => {
    const bucket = await open({ ratePerSecond: 100, burst: 64 });
    await drive([bucket], 1_000, 50);
    const commits = () => bed().engine.statistics().commits;
    for (let ms = 0; ms < 12_000; ms += 100) {
      bed().timers.advance(100);
      await turns();
      // One lease is one token here: what idles holds two at most once its burst ran out.
      if (ms > 1_000) expect(bucket.statistics().heldTokens).toBeLessThanOrEqual(2);
    }
    expect(bed().timers.pending).toBe(0);
    const before = commits();
    bed().timers.advance(60_000);
    await turns();
    expect(commits()).toBe(before);
    expect(bucket.take()).toMatchObject({ ok: false, retryAfterMs: 10 });
    await bed().settle();
    expect(bucket.take()).toEqual({ ok: true });
    await bucket.stop();
  });

  it("follow a change of the rate in every taker, the last one counting", async () => {
    const first = await open({ ratePerSecond: 1_000, burst: 100 });
    const second = await open({ ratePerSecond: 1_000, burst: 100 });
    await drive([first, second], 500);
    await Promise.all([
      first.configure({ ratePerSecond: 50, burst: 20 }),
      second.configure({ ratePerSecond: 100, burst: 20 }),
    ]);
    await bed().settle();
    const slow = await drive([first, second], 2_000);
    // Which of the two came last is open; both takers agree on it.
    const inForce = sum(slow) > 120 ? 100 : 50;
    expect(sum(slow)).toBeGreaterThan(inForce * 2 * 0.9);
    expect(mostAbove(slow, inForce)).toBeLessThanOrEqual(20);
    await second.configure({ ratePerSecond: 0, burst: 2 });
    await bed().settle();
    expect(await drive([first, second], 500)).toEqual([]);
    expect(first.take()).toEqual({ ok: false, retryAfterMs: 60_000 });
    // Another process starts with the settings of its own: they count from now on.
    const third = await open({ ratePerSecond: 1_000, burst: 100 });
    await bed().settle();
    expect(sum(await drive([first, second, third], 1_000))).toBeGreaterThan(900);
    await Promise.all([first, second, third].map((taker) => taker.stop()));
  });

  it("claim nothing more of a rate that was changed, also where nobody told the taker of the change", async () => {
    const deaf = withOverrides(leftOpen(bed().engine), { onStateChange: () => () => undefined });
    const rate = { ratePerSecond: 1_000, burst: 100 };
    const [first, second] = [await open(rate, "purchases", deaf), await open(rate)];
    expect(sum(await drive([first], 200))).toBeGreaterThan(100);
    await second.configure({ ratePerSecond: 0, burst: 2 });
    const { heldTokens } = first.statistics();
    expect(sum(await drive([first], 1_000, 50))).toBeLessThanOrEqual(heldTokens);
    await Promise.all([first, second].map((taker) => taker.stop()));
  });

  it("file no more numbers than of the leases that can still be used, and those of a second before", async () => {
    const bucket = await open({ ratePerSecond: 1_000, burst: 64 });
    await drive([bucket], 2_500, 50);
    const filed = await bed().engine.scanState("$tokens/purchases/1", { limit: 100_000 });
    // One token each: 63 that live at a time, 100 claimed ahead, 1,000 of the second that they are kept longer.
    expect(filed.length).toBeGreaterThan(900);
    expect(filed.length).toBeLessThanOrEqual(1_200);
    await bucket.stop();
  });

  it("leave no timer and give nothing once stopped", async () => {
    const bucket = await open({ ratePerSecond: 100, burst: 10 });
    await drive([bucket], 100);
    await bucket.stop();
    expect(bed().timers.pending).toBe(0);
    expect(bucket.take()).toEqual({ ok: false, retryAfterMs: 60_000 });
    await turns();
    expect(bed().timers.pending).toBe(0);
    await expect(bucket.configure({ ratePerSecond: 1, burst: 2 })).rejects.toMatchObject({ code: "CLOSED" });
  });

  it("run dry while the engine refuses commits, tell of it, and go on afterwards", async () => {
    let isRefusing = false;
    const engine = withOverrides(leftOpen(bed().engine), {
      commit: (commit) => (isRefusing ? Promise.reject(new QueueError("STORAGE_FULL")) : bed().engine.commit(commit)),
    });
    const bucket = await open({ ratePerSecond: 1_000, burst: 100 }, "purchases", engine);
    await drive([bucket], 200);
    isRefusing = true;
    const rest = await drive([bucket], 500);
    expect(sum(rest)).toBeLessThanOrEqual(200);
    expect(bed().faults.every(({ where }) => where === "token bucket purchases")).toBe(true);
    expect(bed().faults.length).toBeGreaterThan(1);
    isRefusing = false;
    expect(sum(await drive([bucket], 2_000))).toBeGreaterThan(1_000);
    await bucket.stop();
  });

  it("refuse a rate or a name that makes no sense", async () => {
    for (const bad of [{ ratePerSecond: -1 }, { ratePerSecond: Number.NaN }, { burst: 1.5 }, { name: "a/b" }]) {
      const options = { engine: bed().engine, name: "n", ratePerSecond: 1, burst: 2, ...bad };
      await expect(createSharedTokenBucket(options)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    }
  });
});

describe("the bound of a shared token bucket", () => {
  const step = fc.record({
    waitMs: fc.nat(120),
    takes: fc.array(fc.record({ taker: fc.nat(5), count: fc.integer({ min: 1, max: 6 }) }), { maxLength: 12 }),
    isGreedy: fc.boolean(),
    change: fc.option(fc.constantFrom("configure" as const, "die" as const), { freq: 12, nil: undefined }),
  });
  const rate = fc.record({
    ratePerSecond: fc.integer({ min: 1, max: 3_000 }),
    burst: fc.integer({ min: 2, max: 400 }),
  });

  /** Runs the steps; the takes under each rate that was in force, in the order of time. */
  async function run(
    rates: readonly TokenRate[],
    takers: number,
    steps: readonly (typeof step extends fc.Arbitrary<infer S> ? S : never)[],
  ) {
    const clock = manualClock();
    const timers = new ManualTimers(clock);
    const engine = createMemoryEngine({ clock });
    let current = 0;
    const inForce = () => rates[current % rates.length] as TokenRate;
    const open = () => createSharedTokenBucket({ engine, name: "n", ...inForce(), timers });
    const all = await Promise.all(Array.from({ length: takers }, open));
    const takes: { readonly rate: TokenRate; readonly takes: Take[] }[] = [{ rate: inForce(), takes: [] }];
    for (const { waitMs, takes: asked, isGreedy, change } of steps) {
      timers.advance(waitMs);
      await turns();
      for (const { taker, count } of asked) {
        if (all[taker % takers]?.take(count).ok !== true) continue;
        takes.at(-1)?.takes.push({ atMs: engine.now(), tokens: count });
      }
      const taken = takes.at(-1)?.takes;
      for (const taker of isGreedy ? all : []) {
        for (let n = 0; n < 400 && taker.take().ok; n++) taken?.push({ atMs: engine.now(), tokens: 1 });
      }
      if (change === "die") {
        // What it held is lost; another one comes in its place.
        await all.shift()?.stop();
        all.push(await open());
      } else if (change === "configure") {
        current++;
        await all[0]?.configure(inForce());
        await turns();
        takes.push({ rate: inForce(), takes: [] });
      }
    }
    for (const taker of all) await taker.stop();
    expect(timers.pending).toBe(0);
    return takes;
  }

  it("is rate × time + burst over any interval, whoever takes, dies or comes", async () => {
    await fc.assert(
      fc.asyncProperty(
        rate,
        fc.integer({ min: 1, max: 6 }),
        fc.array(step, { maxLength: 60 }),
        async (only, takers, steps) => {
          const same = steps.map(({ change, ...rest }) => ({ ...rest, change: change === "die" ? change : undefined }));
          for (const { takes } of await run([only], takers, same)) {
            expect(mostAbove(takes, only.ratePerSecond)).toBeLessThanOrEqual(only.burst + 1e-6);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it("holds for each rate over the time in which it was in force", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(rate, { minLength: 2, maxLength: 4 }),
        fc.integer({ min: 1, max: 6 }),
        fc.array(step, { maxLength: 60 }),
        async (rates, takers, steps) => {
          for (const { rate: own, takes } of await run(rates, takers, steps)) {
            expect(mostAbove(takes, own.ratePerSecond)).toBeLessThanOrEqual(own.burst + 1e-6);
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});
