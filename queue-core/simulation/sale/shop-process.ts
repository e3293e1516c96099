/**
 * One process of the simulated shop: a real queue over its own view of the machine's log, with members of every group,
 * a requester and a sender of half messages. It can stall, or die by itself, while the machine goes on.
 *
 * What can go wrong: a fault reported by a background loop may be the very thing that a test should have shown. Those
 * that an injected fault explains pass; a bug in the library (a TypeError, an assertion) is a violation.
 */

import { QueueError } from "../../src/errors.ts";
import type { Interceptor } from "../../src/interceptors.ts";
import { openQueue } from "../../src/open-queue.ts";
import type { GroupMember, Message, Outcome, Queue, Requester, TransactionalPublisher } from "../../src/queue.ts";
import { gapDetector, type SequenceAnomaly, sequenceNumbers } from "../../src/sequence-numbers.ts";
import type { Topic } from "../../src/topic.ts";
import type { SimulatedProcess } from "../machine.ts";
import type { Random } from "../random.ts";
import type { World } from "../world.ts";
import type { Database } from "./database.ts";
import type { Deliveries } from "./deliveries.ts";
import { lostWord, transactionOf } from "./halves.ts";
import type { SaleSettings } from "./settings.ts";
import { riskStage, stockStage } from "./stages.ts";
import { events, type Note, notes, topics } from "./topics.ts";

export interface ShopSurroundings {
  readonly world: World;
  readonly settings: SaleSettings;
  readonly deliveries: Deliveries;
  readonly database: Database;
  /** Whether gaps and repeats that the library's own detector names count as broken rules. */
  readonly gapDetector: "on" | "left out";
  /** False once the run heals: from then on every handler succeeds at once. */
  isTroubled(): boolean;
}

/** Consumer groups and what they read. */
export const consumers = [
  { group: "orders", topic: events, order: "of keys" },
  { group: "ledger", topic: events, order: "of partitions" },
  { group: "mail", topic: notes, order: "of keys" },
] as const;
const noFacts = "no facts today";
export const halfGroup = "order-service";
export const groups = ["risk", "stock", ...consumers.map(({ group }) => group)] as const;
export type GroupName = (typeof groups)[number];

export class ShopProcess {
  readonly process: SimulatedProcess;
  readonly queue: Queue;
  readonly requester: Requester;
  readonly halves: TransactionalPublisher<Note>;
  readonly members: GroupMember[] = [];
  readonly #around: ShopSurroundings;
  readonly #random: Random;
  #joined = 0;

  private constructor(
    around: ShopSurroundings,
    process: SimulatedProcess,
    opened: { queue: Queue; requester: Requester; halves: TransactionalPublisher<Note> },
  ) {
    this.process = process;
    this.queue = opened.queue;
    this.requester = opened.requester;
    this.halves = opened.halves;
    this.#around = around;
    this.#random = process.random.fork("handlers");
  }

  static async open(around: ShopSurroundings, process: SimulatedProcess): Promise<ShopProcess> {
    const { settings, database, world } = around;
    const queue = await openQueue({
      engine: process.engine,
      topics: topics.map((topic) => ({
        ...topic,
        backlog: { ...topic.backlog, maxMessages: settings.backlogMessages },
      })),
      leaseMs: settings.leaseMs,
      timers: process.timers,
      random: process.random.next,
      interceptors: numbered(around, process),
      onBackgroundError: (where, error) => checkFault(world, where, error),
    });
    const requester = await queue.requester();
    const halves = await queue.transactional<Note>({
      group: halfGroup,
      topic: notes,
      checkAfterMs: settings.checkAfterMs,
      checkEveryMs: settings.checkAfterMs,
      maxChecks: settings.maxChecks,
      checkBack: async (half) => {
        await process.timers.sleep(process.random.between(1, 50));
        return database.checkBack(transactionOf(half.value.uid));
      },
    });
    return new ShopProcess(around, process, { queue, requester, halves });
  }

  get isAlive(): boolean {
    return !this.process.gate.hasEnded;
  }

  async join(group: GroupName): Promise<void> {
    const { settings } = this.#around;
    const member = `${this.process.name}-${group}-${this.#joined++}`;
    const consumer = consumers.find((known) => known.group === group);
    if (group === "risk")
      this.members.push(await this.queue.process({ ...riskStage, member, prepare: this.#prepare() }));
    else if (consumer === undefined)
      this.members.push(await this.queue.process({ ...stockStage(settings.payWithinMs), member }));
    else this.members.push(await this.#consume(consumer, member));
  }

  /** Facts that come in time, late, or never. */
  #prepare() {
    const { timers } = this.process;
    return {
      budgetMs: 30,
      gather: async (): Promise<number> => {
        if (this.#around.isTroubled() && this.#random.chance(0.1)) await timers.sleep(this.#random.between(1, 60));
        if (this.#around.isTroubled() && this.#random.chance(0.05)) throw new Error(noFacts);
        return 1;
      },
    };
  }

  #consume(consumer: (typeof consumers)[number], member: string): Promise<GroupMember> {
    const { settings, database } = this.#around;
    const { group } = consumer;
    const topic = consumer.topic as unknown as Topic<unknown>;
    const options = { group, topic, member, maxBatch: settings.maxBatch, maxAttempts: settings.maxAttempts };
    if (consumer.order === "of partitions") {
      const startOffset = async (partition: number) => database.ledgerOffset(partition);
      return this.queue.consume({ ...options, startOffset, handle: (batch) => this.#keepLedger(group, batch) });
    }
    return this.queue.consume({
      ...options,
      concurrency: settings.concurrency,
      ...(this.#random.chance(0.3) ? { lingerMs: 5 } : {}),
      handle: (batch) => this.#handle(group, batch),
    });
  }

  async #handle(group: string, batch: readonly Message<unknown>[]): Promise<readonly Outcome[]> {
    const { deliveries } = this.#around;
    deliveries.handed(group, batch, this.queue.now());
    await this.#work();
    const outcomes = batch.map(() => this.#outcome());
    if (this.#around.isTroubled() && this.#random.chance(0.05)) {
      deliveries.answered(
        group,
        batch,
        batch.map(() => ({ kind: "retry" })),
      );
      throw new Error("the handler failed");
    }
    deliveries.answered(group, batch, outcomes);
    return outcomes;
  }

  /** Effects and offset in one transaction of an outside database, as the queue's contract asks for. */
  async #keepLedger(group: string, batch: readonly Message<unknown>[]): Promise<readonly Outcome[]> {
    const { deliveries, database } = this.#around;
    deliveries.handed(group, batch, this.queue.now());
    await this.#work();
    const done = batch.map((): Outcome => ({ kind: "done" }));
    if (this.#around.isTroubled() && this.#random.chance(0.1)) {
      deliveries.answered(
        group,
        batch,
        batch.map(() => ({ kind: "pause" })),
      );
      return batch.map((): Outcome => ({ kind: "pause", afterMs: this.#random.integer(1, 400) }));
    }
    database.keepInLedger(batch);
    deliveries.answered(group, batch, done);
    await this.#work();
    return done;
  }

  async #work(): Promise<void> {
    const { isTroubled, settings } = this.#around;
    if (!isTroubled()) return;
    const { timers } = this.process;
    if (this.#random.chance(0.5)) await timers.sleep(this.#random.between(0.1, 20));
    if (this.#random.chance(0.02)) await timers.sleep(this.#random.between(0.5, 2.5) * settings.leaseMs);
  }

  #outcome(): Outcome {
    if (!this.#around.isTroubled()) return { kind: "done" };
    const die = this.#random.next();
    if (die < 0.8) return { kind: "done" };
    if (die < 0.92)
      return { kind: "retry", ...(this.#random.chance(0.5) ? { afterMs: this.#random.integer(0, 200) } : {}) };
    if (die < 0.96) return { kind: "dead", reason: "nobody wants it" };
    return { kind: "pause", ...(this.#random.chance(0.5) ? { afterMs: this.#random.integer(1, 300) } : {}) };
  }
}

/** Numbers every message, or none: without interceptors the queue takes a shorter way. */
function numbered({ world, gapDetector: kind }: ShopSurroundings, process: SimulatedProcess): readonly Interceptor[] {
  if (process.random.fork("interceptors").chance(0.5)) return [];
  const onAnomaly = (anomaly: SequenceAnomaly): void => {
    const isExpected = anomaly.kind === "repeat" && anomaly.cause !== "stored-twice";
    if (!isExpected) world.fail("every number comes once and in order", JSON.stringify(anomaly));
  };
  const numbers = sequenceNumbers({ producer: process.name });
  return kind === "on" ? [numbers, gapDetector({ onAnomaly })] : [numbers];
}

/** Codes and texts that a fault explains which was injected on purpose. */
const explained: ReadonlySet<unknown> = new Set(["EIO", "ENOSPC", noFacts, lostWord]);

function checkFault(world: World, where: string, error: unknown): void {
  world.note("reported", `${where}: ${String(error)}`);
  if (typeof error === "string" || error instanceof QueueError) return;
  if (error instanceof Error && ("code" in error ? explained.has(error.code) : explained.has(error.message))) return;
  world.fail("background loops meet only the faults that were injected", `${where}: ${String(error)}`);
}
