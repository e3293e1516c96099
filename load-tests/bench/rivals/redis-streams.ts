/**
 * Redis Streams through ioredis: XADD by 256 publishers, XREADGROUP and XACK by one consumer.
 *
 * Set up as documented: `enableAutoPipelining`, so that commands issued in one turn of the event loop go out
 * together (https://github.com/redis/ioredis#autopipelining); a blocking read on a connection of its own, many
 * entries at once (https://redis.io/docs/latest/commands/xreadgroup/); one XACK for all entries of a read. The
 * stream is not trimmed: nothing here asks Redis for work that the log does not do.
 */
import { Redis } from "ioredis";
import { purchase } from "../../../queue-core/bench/bed.ts";
import { inFlight } from "../../../queue-core/bench/in-flight.ts";
import { type AppendFsync, type PrivateRedis, redisDurability } from "./redis-server.ts";
import { HandledCount, publishersInFlight, type Rival } from "./rival.ts";

const group = "consumer";
const readAtOnce = 256;

type Entries = readonly (readonly [stream: string, entries: readonly (readonly [id: string, fields: string[]])[]])[];

export async function openRedisStreams(redis: PrivateRedis, appendFsync: AppendFsync): Promise<Rival> {
  const publisher = new Redis({ path: redis.path, enableAutoPipelining: true });
  const reader = new Redis({ path: redis.path });
  await publisher.xgroup("CREATE", "consumed", group, "$", "MKSTREAM");
  const handled = new HandledCount();
  const consumer = new StreamConsumer(reader, publisher, handled);
  const add = (stream: string) => (number: number) => {
    const value = purchase(number);
    return publisher.xadd(stream, "*", "key", value.user, "value", JSON.stringify(value));
  };
  return {
    name: `Redis Streams, ${appendFsync}`,
    durability: redisDurability[appendFsync],
    messagesPerRound: 30_000,
    publish: (first, count) => inFlight(count, publishersInFlight, (number) => add("stored")(first + number)),
    async publishAndConsume(first, count) {
      const startedMs = performance.now();
      const all = handled.next(count);
      await inFlight(count, publishersInFlight, (number) => add("consumed")(first + number));
      await all;
      return performance.now() - startedMs;
    },
    async stop() {
      await consumer.stop();
      publisher.disconnect();
      reader.disconnect();
    },
  };
}

class StreamConsumer {
  readonly #reader: Redis;
  readonly #acknowledger: Redis;
  readonly #handled: HandledCount;
  readonly #done: Promise<void>;
  #stopped = false;

  constructor(reader: Redis, acknowledger: Redis, handled: HandledCount) {
    this.#reader = reader;
    this.#acknowledger = acknowledger;
    this.#handled = handled;
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const read = await this.#reader.xreadgroup(
        "GROUP",
        group,
        "one",
        "COUNT",
        readAtOnce,
        "BLOCK",
        100,
        "STREAMS",
        "consumed",
        ">",
      );
      const entries = (read as Entries | null)?.[0]?.[1] ?? [];
      if (entries.length === 0) continue;
      for (const [, fields] of entries) JSON.parse(fields[3] as string);
      await this.#acknowledger.xack("consumed", group, ...entries.map(([id]) => id));
      this.#handled.add(entries.length);
    }
  }
}
