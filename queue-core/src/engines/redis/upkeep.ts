/**
 * What has to be done now and then, by every engine of a cell: old messages dropped, memory watched, and a call made
 * where nobody else makes one, so that lost data are noticed and expired entries go.
 *
 * What can go wrong: Redis keeps everything in memory, and 256 rings of replies that gateways left behind would fill
 * it. Promises: a message goes only once every known group has consumed it, and then when it is older than
 * `retention.ms`, or there are more than `retention.messages` in its partition, or Redis uses more than three
 * quarters of its maxmemory; a ring's messages go after a minute. One call drops at most 1,000 of a partition.
 */
import type { TopicConfig } from "../../engine.ts";
import type { CallLane } from "./call-lane.ts";
import { DropOperation, MemoryOperation, type MemoryUse } from "./operations.ts";

/** When messages that all known groups have consumed may go. */
export interface RedisRetention {
  /** Default 1 hour. */
  readonly ms?: number;
  /** In one partition. Default 100,000. */
  readonly messages?: number;
}

const everyMs = 1_000;
const partitionsAtOnce = 32;
const droppedAtOnce = 1_000;
const ringMs = 60_000;
/** Of maxmemory; above it, nothing that was consumed is kept. */
const pressure = 0.75;

export class Upkeep {
  readonly #lane: CallLane;
  readonly #topics: () => readonly TopicConfig[];
  readonly #retention: { readonly ms: number; readonly messages: number };
  #timer: NodeJS.Timeout | undefined;
  #isOpen = true;
  #nextPartition = 0;
  memory: MemoryUse = { usedBytes: 0, maxBytes: 0 };

  constructor(
    lane: CallLane,
    topics: () => readonly TopicConfig[],
    { ms = 3_600_000, messages = 100_000 }: RedisRetention,
  ) {
    this.#lane = lane;
    this.#topics = topics;
    this.#retention = { ms, messages };
  }

  start(): void {
    if (!this.#isOpen) return;
    this.#timer = setTimeout(() => {
      this.run()
        // Whoever works with the engine is told of it, and the next round tries again.
        .catch(() => undefined)
        .finally(() => this.start());
    }, everyMs);
    this.#timer.unref();
  }

  stop(): void {
    this.#isOpen = false;
    clearTimeout(this.#timer);
  }

  /** One round over the next partitions. */
  async run(): Promise<void> {
    const memory = this.#lane.push(new MemoryOperation()).promise;
    const places = this.#nextPlaces();
    const [use] = await Promise.all([memory, ...places.map((place) => this.#drop(place))]);
    this.memory = use;
  }

  async #drop({ topic, partition }: { readonly topic: TopicConfig; readonly partition: number }): Promise<void> {
    const { usedBytes, maxBytes } = this.memory;
    const isTight = maxBytes > 0 && usedBytes > maxBytes * pressure;
    const ms = isTight ? 0 : topic.ringMessages === undefined ? this.#retention.ms : ringMs;
    const keep = { ms, messages: this.#retention.messages };
    const place = { topic: topic.name, partition, ring: topic.ringMessages ?? 0 };
    while (this.#isOpen && (await this.#lane.push(new DropOperation(place, keep)).promise) === droppedAtOnce);
  }

  #nextPlaces() {
    const all = this.#topics().flatMap((topic) =>
      Array.from({ length: topic.partitions }, (_, partition) => ({ topic, partition })),
    );
    const from = this.#nextPartition < all.length ? this.#nextPartition : 0;
    this.#nextPartition = from + partitionsAtOnce;
    return all.slice(from, from + partitionsAtOnce);
  }
}
