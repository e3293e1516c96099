/**
 * Reads a topic for the audit: all of it, or only one sale's messages, in as many steps as wanted; each step goes
 * on where the last one stopped.
 *
 * What can go wrong: a log too large for a process that sells meanwhile. All scans of one audit read from one budget;
 * where it is used up they stop and say so. A message that cannot be decoded is counted and passed over.
 */
import type { Looked, Recorded, TopicEvidence } from "@plateau/domain";
import { partitionOfKey, type Queue, type Topic } from "queue-core";

const readAtOnce = 1_000;

/** What one audit may keep, over all of its topics: about 1 kB a message. */
export class ScanBudget {
  readonly #messages: number;
  #left: number;

  constructor(messages: number) {
    this.#messages = messages;
    this.#left = messages;
  }

  /** Throws once there is none left. */
  take(messages: number): void {
    this.#left -= messages;
    if (this.#left < 0)
      throw new Error(`more than ${this.#messages} messages in all topics: too many to hold; audit one sale`);
  }
}

export interface ScanOptions {
  /** Only this sale's messages; all when undefined. */
  readonly saleId: string | undefined;
  /** The topic's key is the sale, so that one partition has all of a sale. */
  readonly keyedBySale: boolean;
  readonly budget: ScanBudget;
}

interface PartitionProgress {
  readonly partition: number;
  readonly start: number;
  /** The next offset to read. */
  next: number;
  read: number;
}

export class TopicScan<T extends { readonly saleId: string }> {
  readonly topic: Topic<T>;
  readonly #queue: Queue;
  readonly #saleId: string | undefined;
  readonly #budget: ScanBudget;
  readonly #messages: Omit<Recorded<T>, "settled">[] = [];
  readonly #partitionNumbers: readonly number[];
  #progress: PartitionProgress[] | undefined;
  #unreadable = 0;
  #problem: string | undefined;

  constructor(queue: Queue, topic: Topic<T>, { saleId, keyedBySale, budget }: ScanOptions) {
    this.topic = topic;
    this.#queue = queue;
    this.#saleId = saleId;
    this.#budget = budget;
    this.#partitionNumbers =
      saleId !== undefined && keyedBySale
        ? [partitionOfKey(saleId, topic.partitions)]
        : Array.from({ length: topic.partitions }, (_, partition) => partition);
  }

  get values(): readonly T[] {
    return this.#messages.map(({ value }) => value);
  }

  /** Why it could not look; undefined where it could. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Reads on to the end as it is now. A failure is remembered and makes the evidence "not looked". */
  async readOn(): Promise<void> {
    if (this.#problem !== undefined) return;
    try {
      this.#progress ??= await this.#begin();
      for (const progress of this.#progress) await this.#readPartition(progress);
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : String(error);
      this.#messages.length = 0;
    }
  }

  /** `settledTo` gives, by partition, the offset before which every group had committed. */
  evidence(settledTo: ReadonlyMap<number, number>): Looked<TopicEvidence<T>> {
    if (this.#problem !== undefined) return { looked: false, why: this.#problem };
    if (this.#progress === undefined) return { looked: false, why: "it was not read" };
    const messages = this.#messages.map((message) => ({
      ...message,
      settled: message.offset < (settledTo.get(message.partition) ?? 0),
    }));
    const partitions = this.#progress.map(({ partition, start, next, read }) => ({
      partition,
      start,
      end: next,
      read,
    }));
    return { looked: true, found: { messages, partitions, unreadable: this.#unreadable } };
  }

  async #begin(): Promise<PartitionProgress[]> {
    return Promise.all(
      this.#partitionNumbers.map(async (partition) => {
        const { start } = await this.#queue.engine.range(this.topic.name, partition);
        return { partition, start, next: start, read: 0 };
      }),
    );
  }

  async #readPartition(progress: PartitionProgress): Promise<void> {
    const { end } = await this.#queue.engine.range(this.topic.name, progress.partition);
    while (progress.next < end) {
      const place = [this.topic.name, progress.partition, progress.next] as const;
      const batch = await this.#queue.engine.read(...place, { maxMessages: readAtOnce });
      const last = batch.at(-1);
      if (last === undefined)
        throw new Error(`${this.topic.name}/${progress.partition} ends before its end offset ${end}`);
      for (const { partition, offset, value: bytes } of batch) {
        const value = this.#decoded(bytes);
        if (value === undefined || (this.#saleId !== undefined && value.saleId !== this.#saleId)) continue;
        this.#budget.take(1);
        this.#messages.push({ partition, offset, value });
      }
      progress.read += batch.length;
      progress.next = last.offset + 1;
    }
  }

  /** Undefined for what is no message of this topic: a stage has put it among the dead letters. */
  #decoded(bytes: Buffer): T | undefined {
    try {
      return this.topic.codec.decode(bytes);
    } catch {
      this.#unreadable++;
      return undefined;
    }
  }
}
