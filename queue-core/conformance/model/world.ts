/**
 * The real queue beside the model: every command is done to both, then time moves in small steps, and after each step
 * what the queue did is told to the model and compared with it.
 *
 * Commands happen at whole seconds, while what they plan falls in between, so that nothing is due in the very step in
 * which a command comes.
 */
import { expect } from "vitest";
import {
  createMemoryEngine,
  type DeadLetter,
  defineTopic,
  done,
  type Engine,
  emit,
  type GroupMember,
  gapDetector,
  type LocalTransactionState,
  manualClock,
  type Outcome,
  openQueue,
  type Queue,
  type QueueError,
  type Requester,
  type SequenceAnomaly,
  sequenceNumbers,
  type TransactionalPublisher,
} from "../../src/index.ts";
import { ManualTimers, turn } from "../queue-bed.ts";
import { checkAfterMs, type Model, maxChecks } from "./model.ts";
import { maxAttempts } from "./window-model.ts";
import { type Job, partitions } from "./workload.ts";

export const jobs = defineTopic<Job>({ name: "jobs", partitions, keyOf: (job) => job.key });
const booked = defineTopic<{ n: number; key: string; sum: number }>({
  name: "booked",
  partitions: 1,
  keyOf: ({ key }) => key,
});

const stepMs = 25;
/** A partition is owned again so long after the last change of members at the latest: lease, renewal, and a poll. */
const takeOverMs = 4_500;

interface Delivery {
  readonly partition: number;
  readonly offset: number;
  readonly attempt: number;
  readonly settle: (outcome: Outcome | "throw") => void;
}

/** Faults that a queue reports because a command asked for them. */
const expectedFaults = /^(dead letter of group|a local transaction threw)/;

export class World {
  readonly model: Model;
  queue!: Queue;
  requester!: Requester;
  sender!: TransactionalPublisher<Job>;
  worker: GroupMember | undefined;
  readonly ledgers: GroupMember[] = [];
  deliveries: Delivery[] = [];
  readonly settled = new Map<number, unknown>();
  #gate: Promise<void> | undefined;
  #openGate: () => void = () => undefined;
  #changedAtMs = 0;
  #named = 0;
  readonly #clock = manualClock();
  readonly #timers = new ManualTimers(this.#clock);
  /** Puts a fault between queue and engine. */
  readonly #plant: (engine: Engine) => Engine;
  readonly #faults: string[] = [];
  readonly #anomalies: SequenceAnomaly[] = [];

  constructor(model: Model, plant: (engine: Engine) => Engine = (engine) => engine) {
    this.model = model;
    this.#plant = plant;
  }

  async open(): Promise<void> {
    const tell = (anomaly: SequenceAnomaly) => {
      if (anomaly.kind !== "repeat" || anomaly.cause === "stored-twice") this.#anomalies.push(anomaly);
    };
    this.queue = await openQueue({
      engine: this.#plant(createMemoryEngine({ clock: this.#clock })),
      topics: [jobs, booked],
      timers: this.#timers,
      random: () => 0,
      interceptors: [sequenceNumbers({ producer: "model" }), gapDetector({ onAnomaly: tell })],
      onBackgroundError: (where, error) => {
        if (!expectedFaults.test(where)) this.#faults.push(`${where}: ${error}`);
      },
    });
    this.model.nowMs = this.queue.now();
    this.#changedAtMs = this.queue.now();
    this.requester = await this.queue.requester();
    this.sender = await this.queue.transactional<Job>({
      group: "sales",
      topic: jobs,
      checkAfterMs,
      checkEveryMs: checkAfterMs,
      maxChecks,
      checkBack: async ({ value }) => this.#checkBack(value.n),
    });
  }

  // --- what commands do ------------------------------------------------------------------------------------

  async startWorker(): Promise<void> {
    this.#changedAtMs = this.queue.now();
    this.worker = await this.queue.consume<Job>({
      group: "workers",
      topic: jobs,
      member: `w${this.#named++}`,
      concurrency: 16,
      maxAttempts,
      handle: ([message], signal) =>
        new Promise<Outcome>((resolve, reject) => {
          if (message === undefined) throw new Error("an empty batch");
          const { partition, offset, attempt } = message;
          const settle = (outcome: Outcome | "throw") => {
            this.deliveries = this.deliveries.filter((other) => other !== delivery);
            if (outcome === "throw") reject(new Error("the handler threw"));
            else resolve(outcome);
          };
          const delivery: Delivery = { partition, offset, attempt, settle };
          this.deliveries.push(delivery);
          // What an aborted handler says counts for nothing.
          signal.addEventListener("abort", () => settle(done));
        }),
    });
  }

  async startLedger(): Promise<void> {
    this.#changedAtMs = this.queue.now();
    const member = await this.queue.process<Job>({
      group: "ledger",
      topic: jobs,
      member: `l${this.#named++}`,
      maxBatch: 3,
      keys: ({ key }) => [key],
      pace: async (batch) => {
        await this.#gate;
        return batch.length;
      },
      decide: ({ value: { n, key, isBad } }, state) => {
        if (isBad) throw new Error("cannot be decided");
        const sum = (state.get<number>(key) ?? 0) + 1;
        return { writes: [{ key, value: sum }], emit: [emit(booked, { n, key, sum })], reply: { n, sum } };
      },
    });
    this.ledgers.push(member);
  }

  async endWorker(how: "stop" | "kill"): Promise<void> {
    const { worker } = this;
    this.worker = undefined;
    if (worker !== undefined) await this.#end(worker, how);
  }

  async endLedger(which: number, how: "stop" | "kill"): Promise<void> {
    for (const member of this.ledgers.splice(which, 1)) await this.#end(member, how);
  }

  closeGate(): void {
    this.#gate = new Promise((resolve) => {
      this.#openGate = resolve;
    });
  }

  openGate(): void {
    this.#gate = undefined;
    this.#openGate();
  }

  request(job: Job, timeoutMs: number): void {
    const settle = (answer: unknown): void => {
      if (this.settled.has(job.n)) throw new Error(`request ${job.n} settled twice`);
      this.settled.set(job.n, answer);
    };
    this.requester.send(jobs, job, { timeoutMs }).reply.then(settle, (error: QueueError) => settle(error.code));
  }

  // --- time, and the comparison ----------------------------------------------------------------------------

  async advance(ms: number): Promise<void> {
    for (let passedMs = 0; passedMs < ms; passedMs += stepMs) {
      this.#timers.advance(stepMs);
      await this.observe();
    }
  }

  /** Lets run what is due, tells the model, and compares what is cheap to compare. */
  async observe(): Promise<void> {
    const { model, queue } = this;
    await turn();
    await turn();
    model.nowMs = queue.now();
    for (let partition = 0; partition < partitions; partition++) {
      const known = model.logs[partition]?.length ?? 0;
      for (const { value, headers } of await queue.browse(jobs, partition, known, 1_000)) {
        model.logged(partition, { n: value.n, forGroup: headers.ext?.["queue-core.redrive"] });
      }
    }
    model.checkNothingLate();
    const owned = this.worker?.statistics().partitions ?? [];
    model.window.own(owned);
    const expected = model.window.step();
    const actual = this.deliveries.map(({ partition, offset, attempt }) => `${partition}/${offset}#${attempt}`);
    expect(actual.sort()).toEqual(expected);
    await this.#observeLedger();
    this.#observeRequests();
    if (queue.now() - this.#changedAtMs > takeOverMs && this.worker !== undefined)
      expect(owned).toHaveLength(partitions);
    expect([this.#faults, this.#anomalies]).toEqual([[], []]);
  }

  /** Everything else, after each command. */
  async compare(): Promise<void> {
    const { model, queue } = this;
    await this.observe();
    const workers = await queue.groupStatistics("workers", jobs);
    expect(workers.map(({ committed, end }) => [committed, end])).toEqual(
      model.window.committed.map((committed, partition) => [committed, model.logs[partition]?.length]),
    );
    for (const [key, sum] of model.sums) expect(await queue.state("ledger", jobs).get(key, key)).toBe(sum);
    const events = (await queue.browse(booked, 0, 0, 10_000)).map(({ value }) => value);
    expect(byKey(events)).toEqual(byKey(model.booked));
    for (const group of ["workers", "ledger", "sales"] as const) {
      const letters = await queue.deadLetters(group, jobs, 1_000);
      expect(letters.map(place).sort()).toEqual([...model.dead[group].keys()].sort());
    }
  }

  /** Brings everything to its end, redrives what died, brings that to its end too, and stops. */
  async finish(): Promise<void> {
    this.openGate();
    if (this.worker === undefined) await this.startWorker();
    if (this.ledgers.length === 0) await this.startLedger();
    // Some of what is left fails for good, and so is there to redrive.
    await this.#drain((n) => (n % 4 === 0 ? "throw" : done));
    for (const group of ["workers", "ledger", "sales"] as const) {
      expect(await this.queue.redrive(group, jobs)).toBe(this.model.redriven(group));
    }
    await this.#drain(() => done);
    await this.queue.stop();
    expect(this.#timers.pending).toBe(0);
  }

  async #drain(outcomeOf: (n: number) => Outcome | "throw"): Promise<void> {
    const { model } = this;
    const isThrough = (offsets: readonly number[]) =>
      offsets.every((offset, partition) => offset === model.logs[partition]?.length);
    const isDrained = () => model.isQuiet && isThrough(model.window.committed) && isThrough(model.decided);
    for (let seconds = 0; seconds < 60; seconds++) {
      await this.compare();
      for (const { partition, offset, settle } of [...this.deliveries]) {
        const outcome = outcomeOf(model.logs[partition]?.[offset]?.n ?? -1);
        settle(outcome);
        model.answered(partition, offset, outcome);
      }
      await this.compare();
      if (isDrained()) return;
      await this.advance(1_000);
    }
    throw new Error("something is never brought to its end");
  }

  async #end(member: GroupMember, how: "stop" | "kill"): Promise<void> {
    this.#changedAtMs = this.queue.now();
    if (how === "kill") {
      member.kill();
      return;
    }
    const stopping = member.stop({ graceMs: 0 });
    await turn();
    this.#timers.advance(0);
    await stopping;
  }

  async #observeLedger(): Promise<void> {
    const owned = this.ledgers.flatMap((member) => member.statistics().partitions);
    for (let partition = 0; partition < partitions; partition++) {
      const place = { group: "ledger", topic: "jobs", partition };
      this.model.decidedTo(partition, await this.queue.engine.committedOffset(place));
      if (!owned.includes(partition) || this.#gate !== undefined) continue;
      expect(this.model.decided[partition]).toBe(this.model.logs[partition]?.length);
    }
    const isStill = this.queue.now() - this.#changedAtMs > takeOverMs;
    if (isStill && this.ledgers.length > 0) expect(owned.sort()).toEqual([0, 1]);
  }

  #observeRequests(): void {
    const { nowMs } = this.model;
    for (const [n, request] of this.model.requests) {
      if (request.isSettled) continue;
      const isDue = request.dueMs <= nowMs;
      const actual = this.settled.get(n);
      if (actual === undefined) {
        expect([n, request.answer, isDue]).toEqual([n, undefined, false]);
        continue;
      }
      request.isSettled = true;
      if (actual === "REPLY_TIMEOUT") this.model.count("timed-out request");
      // Decided and timed out in one step: either may come first.
      const mayTimeOut = isDue && (request.answer === undefined || request.answeredAtMs === nowMs);
      expect([...(mayTimeOut ? ["REPLY_TIMEOUT"] : []), request.answer]).toContainEqual(actual);
    }
  }

  #checkBack(n: number): LocalTransactionState {
    return this.model.checked(n, this.queue.now());
  }
}

function place({ message }: DeadLetter<Job>): string {
  return message.offset < 0 ? `half ${message.value?.n}` : `${message.partition}/${message.offset}`;
}

/** The order holds within a key; keys of several partitions may mix. */
function byKey<T extends { readonly key: string }>(events: readonly T[]): Record<string, T[] | undefined> {
  return Object.groupBy(events, ({ key }) => key);
}
