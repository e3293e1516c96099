/**
 * What has to be done now and then: memory watched, and a call made where nobody else makes one, so that lost data are
 * noticed and expired entries go; round trips told, so that any engine knows how many all made; by every engine of a
 * cell. Old messages are dropped by one of them, the keeper: the
 * first that asks where there was none for 3 s. (By six of them, that was most of what an idle cluster asked of Redis.)
 *
 * What can go wrong: Redis keeps everything in memory, and 256 rings of replies that gateways left behind would fill
 * it. Promises: a message goes only once every known group has consumed it, and then when it is older than
 * `retention.ms`, or there are more than `retention.messages` in its partition, or Redis uses more than three
 * quarters of its maxmemory; a ring's messages go after a minute. One call drops at most 1,000 of a partition.
 */
import { untilBeatMs } from "../../beat.ts";
import type { TopicConfig } from "../../engine.ts";
import type { CallLane } from "./call-lane.ts";
import { DropOperation, type MemoryUse, WatchOperation } from "./upkeep-operations.ts";

/** When messages that all known groups have consumed may go. */
export interface RedisRetention {
  /** Default 1 hour. */
  readonly ms?: number;
  /** In one partition. Default 100,000. */
  readonly messages?: number;
}

const everyMs = 1_000;
/** An engine that kept for the last time so long ago is gone. */
const keeperMs = 3 * everyMs;
const partitionsAtOnce = 32;
const droppedAtOnce = 1_000;
const ringMs = 60_000;
/** Of maxmemory; above it, nothing that was consumed is kept. */
const pressure = 0.75;

interface UpkeepParts {
  readonly lane: CallLane;
  readonly topics: () => readonly TopicConfig[];
  readonly now: () => number;
  /** Of this engine so far. */
  readonly roundTrips: () => number;
}

export class Upkeep {
  readonly #parts: UpkeepParts;
  readonly #retention: { readonly ms: number; readonly messages: number };
  #timer: NodeJS.Timeout | undefined;
  #isOpen = true;
  #nextPartition = 0;
  #toldRoundTrips = 0;
  memory: MemoryUse = { usedBytes: 0, maxBytes: 0 };
  allRoundTrips = 0;

  constructor(parts: UpkeepParts, { ms = 3_600_000, messages = 100_000 }: RedisRetention) {
    this.#parts = parts;
    this.#retention = { ms, messages };
  }

  start(): void {
    if (!this.#isOpen) return;
    this.#timer = setTimeout(
      () => {
        this.run()
          // Whoever works with the engine is told of it, and the next round tries again.
          .catch(() => undefined)
          .finally(() => this.start());
      },
      untilBeatMs(this.#parts.now(), everyMs),
    );
    this.#timer.unref();
  }

  stop(): void {
    this.#isOpen = false;
    clearTimeout(this.#timer);
  }

  /** One round over the next partitions. */
  async run(): Promise<void> {
    const roundTrips = this.#parts.roundTrips();
    const watch = new WatchOperation(keeperMs, roundTrips - this.#toldRoundTrips);
    const { memory, isKeeper, allRoundTrips } = await this.#parts.lane.push(watch).promise;
    this.#toldRoundTrips = roundTrips;
    this.allRoundTrips = allRoundTrips;
    this.memory = memory;
    if (isKeeper) await Promise.all(this.#nextPlaces().map((place) => this.#drop(place)));
  }

  async #drop({ topic, partition }: { readonly topic: TopicConfig; readonly partition: number }): Promise<void> {
    const { usedBytes, maxBytes } = this.memory;
    const isTight = maxBytes > 0 && usedBytes > maxBytes * pressure;
    const ms = isTight ? 0 : topic.ringMessages === undefined ? this.#retention.ms : ringMs;
    const keep = { ms, messages: this.#retention.messages };
    const place = { topic: topic.name, partition, ring: topic.ringMessages ?? 0 };
    while (this.#isOpen && (await this.#parts.lane.push(new DropOperation(place, keep)).promise) === droppedAtOnce);
  }

  #nextPlaces() {
    const all = this.#parts
      .topics()
      .flatMap((topic) => Array.from({ length: topic.partitions }, (_, partition) => ({ topic, partition })));
    const from = this.#nextPartition < all.length ? this.#nextPartition : 0;
    this.#nextPartition = from + partitionsAtOnce;
    return all.slice(from, from + partitionsAtOnce);
  }
}
