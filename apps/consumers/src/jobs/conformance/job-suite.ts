/** What every job store promises (../job-queue.ts), as tests that run on each of them. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { paymentJobs, type StoredJob } from "@plateau/domain";
import { dead, done, pause, retry, type Topic } from "queue-core";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { JobHandler, JobQueue, NewJob } from "../job-queue.ts";
import { type OpenStore, openStore, type StorePlace } from "./job-store.ts";
import { textKind } from "./text-kind.ts";

const within = { timeout: 20_000, interval: 10 };
const forever = new Promise<never>(() => undefined);
const named = (...ids: readonly string[]): NewJob<string>[] => ids.map((id) => ({ id, data: `data of ${id}` }));
const numbered = (count: number): NewJob<string>[] => named(...Array.from({ length: count }, (_, n) => `job ${n}`));

class Bed {
  readonly #place: () => Promise<StorePlace>;
  #at: StorePlace | undefined;
  #store: OpenStore | undefined;

  constructor(place: () => Promise<StorePlace>) {
    this.#place = place;
  }

  get at(): StorePlace {
    if (this.#at === undefined) throw new Error("no store was opened");
    return this.#at;
  }

  get jobs(): JobQueue {
    if (this.#store === undefined) throw new Error("no store is open");
    return this.#store.jobs;
  }

  async openEmpty(): Promise<void> {
    this.#at = await this.#place();
    await this.open();
  }

  async open(): Promise<void> {
    this.#store = await openStore(this.at);
  }

  async close(): Promise<void> {
    await this.#store?.close();
    this.#store = undefined;
  }

  nothingWaits = (): Promise<void> =>
    vi.waitFor(async () => {
      const { waiting, delayed } = await this.jobs.counts(textKind());
      expect({ waiting, delayed }).toEqual({ waiting: 0, delayed: 0 });
    }, within);
}

/** Notes the ids of the jobs that it is given. */
const noting =
  (ran: string[]): JobHandler<string> =>
  async ({ id }) => {
    ran.push(id);
    return done;
  };

/** `place` makes an empty store for each test. */
export function jobSuite(place: () => Promise<StorePlace>): void {
  const bed = new Bed(place);
  beforeEach(() => bed.openEmpty());
  afterEach(() => bed.close());
  jobsAreDone(bed);
  jobsWait(bed);
  jobsFail(bed);
  jobsAreRetried(bed);
  workersStop(bed);
  processesEnd(bed);
}

function jobsAreDone(bed: Bed): void {
  test("a job is done with the data it was added with, once, however often its id is added", async () => {
    const seen: string[] = [];
    await bed.jobs.add(textKind(), named("a:1", "b/ü", "a:1", "wait", "7"));
    await bed.jobs.add(textKind(), named("b/ü", "c"));
    await Promise.all([bed.jobs.add(textKind(), named("c", "d")), bed.jobs.add(textKind(), named("d", "e"))]);
    await bed.jobs.work(textKind(), async ({ id, data, attempt }) => {
      seen.push(`${id}, ${data}, ${attempt}`);
      return done;
    });
    await bed.nothingWaits();
    await bed.jobs.add(textKind(), named("a:1", "e"));
    await bed.nothingWaits();
    expect(seen.sort()).toEqual(["7", "a:1", "b/ü", "c", "d", "e", "wait"].map((id) => `${id}, data of ${id}, 1`));
  });

  test("more jobs than fit into one call are all done, by as many at once as the kind allows and no more", async () => {
    let running = 0;
    let most = 0;
    const ran = new Set<string>();
    await bed.jobs.add(textKind(), numbered(600));
    await bed.jobs.work(textKind(), async ({ id }) => {
      most = Math.max(most, ++running);
      await new Promise(setImmediate);
      running--;
      ran.add(id);
      return done;
    });
    await vi.waitFor(() => expect(ran.size).toBe(600), within);
    expect(most).toBe(4);
  });

  test("of several workers one at a time does a job, and no job is done twice", async () => {
    const ran: string[] = [];
    await bed.jobs.add(textKind(), numbered(200));
    for (let workers = 0; workers < 3; workers++) await bed.jobs.work(textKind(), noting(ran));
    await bed.nothingWaits();
    expect(new Set(ran).size).toBe(200);
    expect(ran.length).toBe(200);
  });
}

function jobsWait(bed: Bed): void {
  test("a delayed job is not begun before its time, and those after it are", async () => {
    const ran: string[] = [];
    await bed.jobs.work(textKind(), noting(ran));
    const addedAtMs = performance.now();
    await bed.jobs.add(textKind(), [{ id: "later", data: "", delayMs: 300 }, ...named("now")]);
    await vi.waitFor(() => expect(ran).toEqual(["now"]), within);
    await vi.waitFor(() => expect(ran).toEqual(["now", "later"]), within);
    expect(performance.now() - addedAtMs).toBeGreaterThan(298);
  });

  test("of a kind with a rate no more attempts begin than it allows, whatever the number of workers", async () => {
    const kind = textKind({ rate: { max: 5, perMs: 200 }, concurrency: 10 });
    const begun: number[] = [];
    const note: JobHandler<string> = async () => {
      begun.push(performance.now());
      return done;
    };
    await Promise.all([bed.jobs.work(kind, note), bed.jobs.work(kind, note)]);
    await bed.jobs.add(kind, numbered(30));
    await vi.waitFor(() => expect(begun.length).toBe(30), within);
    for (const [index, fromMs] of begun.entries()) {
      for (const [more, toMs] of begun.slice(index).entries()) {
        expect(more + 1).toBeLessThanOrEqual(Math.ceil(5 * ((toMs - fromMs) / 200 + 2)));
      }
    }
    expect((begun.at(-1) ?? 0) - (begun[0] ?? 0)).toBeGreaterThan(750);
  });

  test("while what it depends on is down a kind rests, and no attempt is spent", async () => {
    const begun: number[] = [];
    const attempts = new Set<number>();
    const kind = textKind({ concurrency: 1 });
    await bed.jobs.add(kind, numbered(5));
    await bed.jobs.work(kind, async ({ attempt }) => {
      begun.push(performance.now());
      attempts.add(attempt);
      return begun.length <= 4 ? pause({ afterMs: 150 }) : done;
    });
    await vi.waitFor(() => expect(begun.length).toBe(9), within);
    await bed.nothingWaits();
    expect([...attempts]).toEqual([1]);
    for (let rest = 0; rest < 4; rest++) {
      expect((begun[rest + 1] ?? 0) - (begun[rest] ?? 0)).toBeGreaterThan(148);
    }
  });
}

function jobsFail(bed: Bed): void {
  test("a job that fails is tried again after a growing wait, and the others go on meanwhile", async () => {
    const begun: { readonly attempt: number; readonly atMs: number }[] = [];
    const others: string[] = [];
    const kind = textKind({ backoff: { firstMs: 200, longestMs: 60_000 } });
    await bed.jobs.work(kind, async ({ id, attempt }) => {
      if (id !== "bad") return noting(others)({ id, data: "", attempt }, AbortSignal.any([]));
      begun.push({ attempt, atMs: performance.now() });
      if (attempt === 1) throw new Error("no answer");
      return attempt === 2 ? retry({ error: new Error("no answer again") }) : done;
    });
    await bed.jobs.add(kind, named("bad"));
    await vi.waitFor(() => expect(begun.length).toBe(1), within);
    await bed.jobs.add(kind, named("good"));
    await vi.waitFor(() => expect(others).toEqual(["good"]), within);
    await vi.waitFor(() => expect(begun.map(({ attempt }) => attempt)).toEqual([1, 2, 3]), within);
    const waits = begun.slice(1).map(({ atMs }, index) => atMs - (begun[index]?.atMs ?? 0));
    // Half of each wait is random; timers may be a ms early.
    expect(waits[0]).toBeGreaterThan(98);
    expect(waits[1]).toBeGreaterThan(198);
    await bed.nothingWaits();
    expect((await bed.jobs.counts(kind)).failed).toBe(0);
  });

  test("after its last attempt a job has failed for good, with the errors of all of them", async () => {
    let attempts = 0;
    await bed.jobs.work(textKind(), async ({ attempt }) => {
      attempts++;
      return retry({ afterMs: 1, error: new Error(`fault ${attempt}`) });
    });
    await bed.jobs.add(textKind(), named("bad"));
    await vi.waitFor(async () => expect((await bed.jobs.counts(textKind())).failed).toBe(1), within);
    await bed.nothingWaits();
    expect(attempts).toBe(3);
    const [failed] = await bed.jobs.failed(textKind(), 10);
    expect(failed).toMatchObject({ id: "bad", data: "data of bad" });
    expect(failed?.reason).toContain("fault 3");
    expect(failed?.history.map(({ error }) => error.slice(-7))).toEqual(["fault 1", "fault 2", "fault 3"]);
    for (const { atMs } of failed?.history ?? []) expect(Math.abs(atMs - Date.now())).toBeLessThan(60_000);
  });

  test("a job called dead has failed at once, for the reason given", async () => {
    await bed.jobs.work(textKind(), async () => dead("there is no such number"));
    await bed.jobs.add(textKind(), named("bad"));
    await vi.waitFor(async () => expect((await bed.jobs.counts(textKind())).failed).toBe(1), within);
    expect(await bed.jobs.failed(textKind(), 10)).toMatchObject([{ id: "bad", reason: "there is no such number" }]);
  });
}

function jobsAreRetried(bed: Bed): void {
  test("failed jobs that somebody retries have all their attempts anew, and each is done once, whoever else retries", async () => {
    const kind = textKind({ backoff: { firstMs: 1, longestMs: 1 } });
    const attempts: string[] = [];
    let isUp = false;
    await bed.jobs.work(kind, async ({ id, data, attempt }) => {
      attempts.push(`${id} ${attempt}`);
      if (id === "bad") return dead(`${data} is no number`);
      return isUp && attempt > 1 ? done : retry({ error: new Error("no answer") });
    });
    await bed.jobs.add(kind, named("a", "b", "bad"));
    await vi.waitFor(async () => expect((await bed.jobs.counts(kind)).failed).toBe(3), within);
    await bed.nothingWaits();
    isUp = true;
    attempts.length = 0;
    const retried = await Promise.all([bed.jobs.retryFailed(kind), bed.jobs.retryFailed(kind)]);
    expect(retried.reduce((sum, one) => sum + one, 0)).toBe(3);
    await vi.waitFor(() => expect(attempts).toHaveLength(5), within);
    await vi.waitFor(async () => expect((await bed.jobs.counts(kind)).failed).toBe(1), within);
    await bed.nothingWaits();
    expect(attempts.sort()).toEqual(["a 1", "a 2", "b 1", "b 2", "bad 1"]);
    expect(await bed.jobs.failed(kind, 10)).toMatchObject([{ id: "bad", reason: "data of bad is no number" }]);
    expect(
      await bed.jobs.retryFailed(
        textKind({ name: "payment", topic: paymentJobs as Topic<never> as Topic<StoredJob<string>> }),
      ),
    ).toBe(0);
  });

  test("what is to be done, is being done or waits for its time is pending, and nothing else", async () => {
    const kind = textKind({ concurrency: 1 });
    const { promise: finish, resolve: letFinish } = Promise.withResolvers<void>();
    const begun: string[] = [];
    expect((await bed.jobs.pending(kind)).size).toBe(0);
    await bed.jobs.add(kind, [...named("first", "second"), { id: "later", data: "", delayMs: 400 }]);
    const before = await bed.jobs.pending(kind);
    expect(before.size).toBe(3);
    await bed.jobs.work(kind, async ({ id }) => {
      begun.push(id);
      await finish;
      return id === "second" ? dead("no such number") : done;
    });
    await vi.waitFor(() => expect(begun).toHaveLength(1), within);
    const during = await bed.jobs.pending(kind);
    expect([...before].filter((mark) => during.has(mark)).length).toBeGreaterThanOrEqual(2);
    await bed.jobs.add(kind, named("added after"));
    letFinish();
    await vi.waitFor(async () => {
      const after = await bed.jobs.pending(kind);
      expect([...before].filter((mark) => after.has(mark))).toEqual([]);
    }, within);
    await bed.nothingWaits();
    expect((await bed.jobs.pending(kind)).size).toBe(0);
  });
}

function workersStop(bed: Bed): void {
  test("a stop begins nothing more and lets the running job finish; the next worker does the rest", async () => {
    const ran: string[] = [];
    const { promise: finish, resolve: letFinish } = Promise.withResolvers<void>();
    const kind = textKind({ concurrency: 1 });
    await bed.jobs.add(kind, named("first", "second", "third"));
    const worker = await bed.jobs.work(kind, async ({ id }) => {
      ran.push(`${id} begun`);
      await finish;
      ran.push(`${id} done`);
      return done;
    });
    await vi.waitFor(() => expect(ran).toHaveLength(1), within);
    const stopped = worker.stop({ graceMs: 20_000 });
    letFinish();
    await stopped;
    expect(ran).toEqual([ran[0], ran[0]?.replace("begun", "done")]);
    const rest: string[] = [];
    await bed.jobs.work(kind, noting(rest));
    await bed.nothingWaits();
    expect(rest).toHaveLength(2);
  });

  test("a job that outlasts the grace is aborted, and done again by the next worker as the same attempt", async () => {
    const { promise: begun, resolve: isBegun } = Promise.withResolvers<AbortSignal>();
    await bed.jobs.add(textKind(), named("long"));
    const worker = await bed.jobs.work(textKind(), (_job, signal) => {
      isBegun(signal);
      return forever;
    });
    const signal = await begun;
    await worker.stop({ graceMs: 1 });
    expect(signal.aborted).toBe(true);
    const attempts: number[] = [];
    await bed.jobs.work(textKind(), async ({ attempt }) => {
      attempts.push(attempt);
      return done;
    });
    await vi.waitFor(() => expect(attempts).toEqual([1]), within);
  });

  test("a worker killed in the middle of a job leaves it to the next one", async () => {
    await bed.jobs.add(textKind(), named("begun", "waiting"));
    const begun: string[] = [];
    const worker = await bed.jobs.work(textKind({ concurrency: 1 }), ({ id }) => {
      begun.push(id);
      return forever;
    });
    await vi.waitFor(() => expect(begun).toHaveLength(1), within);
    worker.kill();
    const ran: string[] = [];
    await bed.jobs.work(textKind(), noting(ran));
    await bed.nothingWaits();
    expect(ran.sort()).toEqual(["begun", "waiting"]);
  });
}

function processesEnd(bed: Bed): void {
  test("a process killed in the middle of a job leaves it to the next one", async () => {
    await bed.jobs.add(textKind(), named("long"));
    await bed.close();
    const child = fork(fileURLToPath(new URL("./dying-worker.ts", import.meta.url)), {
      env: { ...process.env, STORE: JSON.stringify(bed.at) },
      execArgv: [],
    });
    expect((await once(child, "message"))[0]).toEqual({ began: "long" });
    child.kill("SIGKILL");
    await once(child, "exit");
    await bed.open();
    const ran: string[] = [];
    await bed.jobs.work(textKind(), noting(ran));
    await bed.nothingWaits();
    expect(ran).toEqual(["long"]);
  });

  test("jobs outlive a restart: waiting, delayed, and one between two attempts, which keeps their count", async () => {
    const kind = textKind({ attempts: 2, backoff: { firstMs: 400, longestMs: 400 } });
    const worker = await bed.jobs.work(kind, async () => retry({ error: new Error("first") }));
    await bed.jobs.add(kind, named("failing"));
    await vi.waitFor(async () => expect((await bed.jobs.counts(kind)).delayed).toBe(1), within);
    await worker.stop();
    await bed.jobs.add(kind, [...named("waiting"), { id: "delayed", data: "", delayMs: 300 }]);
    await bed.close();
    await bed.open();
    const ran: string[] = [];
    await bed.jobs.work(kind, async ({ id, attempt }) => {
      ran.push(`${id}, attempt ${attempt}`);
      return id === "failing" ? retry({ error: new Error("second") }) : done;
    });
    await vi.waitFor(() => expect(ran).toHaveLength(3), within);
    expect(ran.sort()).toEqual(["delayed, attempt 1", "failing, attempt 2", "waiting, attempt 1"]);
    await vi.waitFor(async () => expect((await bed.jobs.counts(kind)).failed).toBe(1), within);
    const [failed] = await bed.jobs.failed(kind, 1);
    expect(failed?.history.map(({ error }) => error.includes("first") || error.includes("second"))).toEqual([
      true,
      true,
    ]);
  });
}
