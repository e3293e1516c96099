/**
 * What the queue should do, as simply as it can be said: plain lists and maps, no promises, no timers.
 *
 * The model does not say when leases move or in which step a loop wakes; it is told what the queue did, and says
 * whether that may be: each message in the log has to be explained by something that was asked for, each delivery by
 * the outcomes before it, each decision by its place; and what is due must have come within a stated time.
 *
 * What can go wrong: a model that takes everything as explained proves nothing. planted-faults.test.ts breaks the engine
 * in many ways, and the model has to notice each.
 */
import { type LocalTransactionState, type Outcome, partitionOfKey } from "../../src/index.ts";
import { WindowModel } from "./window-model.ts";
import { type Job, type Logged, partitions } from "./workload.ts";

export const checkAfterMs = 1_900;
export const maxChecks = 3;
/** A half message is looked at so long after it is due at the latest. */
const checkSlackMs = 400;
/** A delayed message is moved so long after it is due at the latest. */
const delaySlackMs = 50;

interface Known {
  readonly job: Job;
  readonly deadlineMs: number;
}

/** A message that is to come into the log. */
interface Expected {
  readonly n: number;
  readonly partition: number;
  readonly forGroup: string | undefined;
  readonly fromMs: number;
  readonly untilMs: number;
}

interface HalfModel {
  readonly job: Job;
  readonly plan: LocalTransactionState[];
  lastCheckMs: number;
  checks: number;
}

const neverAsked = { lastCheckMs: Number.NEGATIVE_INFINITY, checks: 0 };

interface RequestModel {
  readonly dueMs: number;
  answer: { readonly n: number; readonly sum: number } | undefined;
  answeredAtMs: number;
  isSettled: boolean;
}

export class Model {
  nowMs = 0;
  /** What runs, as far as commands have said. */
  readonly running = { hasWorker: false, ledgers: 0, isGateClosed: false };
  /** How often each kind of thing happened: a run in which nothing does proves nothing. */
  readonly seen: Record<string, number> = {};
  readonly logs: Logged[][] = Array.from({ length: partitions }, () => []);
  readonly known = new Map<number, Known>();
  readonly window = new WindowModel(this);
  readonly requests = new Map<number, RequestModel>();
  readonly sums = new Map<string, number>();
  readonly booked: { readonly n: number; readonly key: string; readonly sum: number }[] = [];
  readonly decided: number[] = Array(partitions).fill(0);
  /** Dead letters by group: "partition/offset" of each, or of half messages "half n". */
  readonly dead = {
    workers: new Map<string, number>(),
    ledger: new Map<string, number>(),
    sales: new Map<string, number>(),
  };
  readonly #ids = new Set<string>();
  #expected: Expected[] = [];
  #halves: HalfModel[] = [];

  get isQuiet(): boolean {
    return this.#expected.length === 0 && this.#halves.length === 0;
  }

  count(what: string): void {
    this.seen[what] = (this.seen[what] ?? 0) + 1;
  }

  /** Whether the id was used before in that partition. */
  isRepeat(key: string, id: string | undefined): boolean {
    if (id === undefined) return false;
    const place = `${partitionOfKey(key, partitions)}/${id}`;
    if (this.#ids.has(place)) {
      this.count("recognised repeat");
      return true;
    }
    this.#ids.add(place);
    return false;
  }

  published(job: Job, options: { readonly delayMs?: number; readonly deadlineMs?: number } = {}): void {
    this.#learn(job, options.deadlineMs);
    const { delayMs = 0 } = options;
    this.#expect(job.n, undefined, delayMs, delayMs === 0 ? 0 : delaySlackMs);
  }

  requested(job: Job, timeoutMs: number): void {
    this.published(job);
    const dueMs = this.nowMs + timeoutMs;
    this.requests.set(job.n, { dueMs, answer: undefined, answeredAtMs: 0, isSettled: false });
  }

  half(job: Job, answer: LocalTransactionState, plan: readonly LocalTransactionState[]): void {
    this.#learn(job, undefined);
    if (answer === "commit") this.#expect(job.n, undefined, 0, 0);
    if (answer === "unknown") this.#halves.push({ job, plan: [...plan], lastCheckMs: this.nowMs, checks: 0 });
  }

  /** What the check-back is to answer. Throws when it should not have been asked. */
  checked(n: number, nowMs: number): LocalTransactionState {
    const half = this.#halves.find(({ job }) => job.n === n);
    if (half === undefined) throw new Error(`check-back of ${n}, which has ended`);
    if (nowMs - half.lastCheckMs < checkAfterMs)
      throw new Error(`check-back of ${n} after ${nowMs - half.lastCheckMs} ms`);
    const answer = half.plan.shift() ?? "rollback";
    half.checks++;
    this.count(`check-back ${answer}`);
    half.lastCheckMs = nowMs;
    if (answer === "unknown" && half.checks < maxChecks) return answer;
    this.#halves = this.#halves.filter((other) => other !== half);
    if (answer === "commit") this.#expect(n, undefined, 0, 0);
    if (answer === "unknown") this.count("unanswered half");
    if (answer === "unknown") this.dead.sales.set(`half ${n}`, n);
    return answer;
  }

  /** How many are to be redriven. */
  redriven(group: keyof Model["dead"]): number {
    const letters = this.dead[group];
    for (const n of letters.values()) {
      if (group !== "sales") this.#expect(n, group, 0, 0);
      // One again, and due at once: nobody reads it before somebody was asked.
      else this.#halves.push({ job: this.job(n), plan: [n % 2 === 0 ? "commit" : "rollback"], ...neverAsked });
    }
    const count = letters.size;
    if (count > 0) this.count(`redriven ${group}`);
    letters.clear();
    return count;
  }

  /** A message came into the log. */
  logged(partition: number, message: Logged): void {
    const index = this.#expected.findIndex(
      (expected) =>
        expected.n === message.n && expected.partition === partition && expected.forGroup === message.forGroup,
    );
    const expected = this.#expected[index];
    const told = `message ${message.n} for ${message.forGroup ?? "all"} in partition ${partition}`;
    if (expected === undefined) throw new Error(`${told} was invented, or came twice`);
    if (this.nowMs < expected.fromMs) throw new Error(`${told} came ${expected.fromMs - this.nowMs} ms early`);
    this.#expected.splice(index, 1);
    this.logs[partition]?.push(message);
  }

  /** Throws when something should have come by now. */
  checkNothingLate(): void {
    for (const { n, untilMs } of this.#expected) {
      if (untilMs < this.nowMs) throw new Error(`message ${n} should have come ${this.nowMs - untilMs} ms ago`);
    }
    for (const { job, lastCheckMs } of this.#halves) {
      if (lastCheckMs === neverAsked.lastCheckMs) continue;
      const lateMs = this.nowMs - lastCheckMs - checkAfterMs;
      if (lateMs > checkSlackMs) throw new Error(`half message ${job.n} should have been checked ${lateMs} ms ago`);
    }
  }

  /** The ledger committed up to there. */
  decidedTo(partition: number, offset: number): void {
    for (let next = this.decided[partition] ?? 0; next < offset; next++) this.#decide(partition, next);
    if (offset < (this.decided[partition] ?? 0)) throw new Error(`the ledger's offset in ${partition} went back`);
    this.decided[partition] = offset;
  }

  answered(partition: number, offset: number, outcome: Outcome | "throw"): void {
    const dead = this.window.answer(partition, offset, outcome);
    if (dead !== undefined) this.dead.workers.set(`${partition}/${offset}`, dead);
  }

  #decide(partition: number, offset: number): void {
    const logged = this.logs[partition]?.[offset];
    if (logged === undefined) throw new Error(`the ledger decided ${partition}/${offset}, which is not there`);
    if (logged.forGroup !== undefined && logged.forGroup !== "ledger") return;
    const { n, key, isBad } = this.job(logged.n);
    if (isBad) {
      this.count("poison");
      this.dead.ledger.set(`${partition}/${offset}`, n);
      return;
    }
    const sum = (this.sums.get(key) ?? 0) + 1;
    this.sums.set(key, sum);
    this.booked.push({ n, key, sum });
    const request = this.requests.get(n);
    if (request === undefined || request.answer !== undefined) return;
    this.count("answered request");
    request.answer = { n, sum };
    request.answeredAtMs = this.nowMs;
  }

  job(n: number): Job {
    return this.#of(n).job;
  }

  deadlineMs(n: number): number {
    return this.#of(n).deadlineMs;
  }

  #of(n: number): Known {
    const known = this.known.get(n);
    if (known === undefined) throw new Error(`message ${n} was never sent`);
    return known;
  }

  #learn(job: Job, deadlineMs = Number.POSITIVE_INFINITY): void {
    this.known.set(job.n, { job, deadlineMs });
  }

  #expect(n: number, forGroup: string | undefined, afterMs: number, slackMs: number): void {
    const fromMs = this.nowMs + afterMs;
    const partition = partitionOfKey(this.job(n).key, partitions);
    this.#expected.push({ n, partition, forGroup, fromMs, untilMs: fromMs + slackMs });
  }
}
