/**
 * Opens a cell in Redis: connection, version, identity of the data, topics, bell; then the engine.
 *
 * What can go wrong: no Redis there, one too old, data of another format, or data that lack what was acknowledged.
 * Promises: an open that fails says which of these it was and leaves no connection behind; several engines that open
 * a new cell at once agree on its incarnation.
 */
import { randomBytes } from "node:crypto";
import { QueueError } from "../../errors.ts";
import type { Clock } from "../clock.ts";
import { Bell } from "./bell.ts";
import { CallLane } from "./call-lane.ts";
import { CallWriter } from "./call-writer.ts";
import { CellKeys } from "./cell-keys.ts";
import { clientMaker, describeFault, type RedisAddress } from "./connection.ts";
import { DataIdentity, type DataMark } from "./data-identity.ts";
import { Flights } from "./flights.ts";
import { Link } from "./link.ts";
import { OpenRedisEngine, type RedisEngine } from "./redis-engine.ts";
import { RedisReads } from "./redis-reads.ts";
import { GivenTime, type RedisTime, SampledTime } from "./redis-time.ts";
import { draining } from "./script.ts";
import { checkVersion } from "./settings.ts";
import { type RedisRetention, Upkeep } from "./upkeep.ts";

/** How a cell is opened. Only `address` is needed. */
export interface RedisEngineOptions {
  readonly address: RedisAddress;
  /** The cell: one primary holds whole cells, and a cell holds whole sales with all of their topics. Default `main`. */
  readonly cell?: string;
  /** How long a call may be on its way before it is given up, over all connections it takes. Default 10,000. */
  readonly deadlineMs?: number;
  /** How long a connection may owe an answer before another one is made. Default 3,000. */
  readonly silenceMs?: number;
  /** When messages that every known group has consumed may go. Default after 1 hour, or above 100,000 in a partition. */
  readonly retention?: RedisRetention;
  /** What is known to be stored in this cell: where Redis has less, the open is refused with DATA_LOST. */
  readonly atLeast?: DataMark;
  /**
   * What other engines did is not asked for more often than that; for processes in whose work nobody waits for the
   * other end. Default 0: as soon as it is there.
   */
  readonly newsEveryMs?: number;
  /** Time for tests, which Redis is told. Default: Redis's own. */
  readonly clock?: Clock;
}

const monotonicMs = () => performance.now();

/** Rejects with INVALID_ARGUMENT, UNREACHABLE, DATA_LOST or UNKNOWN_FORMAT. */
export async function openRedisEngine(options: RedisEngineOptions): Promise<RedisEngine> {
  const keys = new CellKeys(options.cell ?? "main");
  const { address, deadlineMs = 10_000, silenceMs = 3_000, clock } = options;
  const client = randomBytes(9).toString("base64url");
  const failed = Promise.withResolvers<Error>();
  const onFailed = (error: QueueError) => {
    lane.end(error);
    failed.resolve(error);
  };
  const time = clock === undefined ? new SampledTime(monotonicMs) : new GivenTime(clock);
  const identity = new DataIdentity(client, monotonicMs, onFailed);
  const link = new Link(clientMaker(address, `queue-core ${client}`), silenceMs);
  const flights = new Flights();
  const lane = new CallLane({ link, flights, meta: keys.meta, identity, time, deadlineMs, silenceMs, onFailed });
  const reads = new RedisReads({ link, flights, keys }, { deadlineMs, silenceMs });
  try {
    await begin({ link, meta: keys.meta, identity, time, deadlineMs }, options.atLeast);
    const engine: OpenRedisEngine = new OpenRedisEngine({
      lane,
      reads,
      link,
      identity,
      time,
      failed: failed.promise,
      upkeep: new Upkeep(
        { lane, topics: () => engine.topics(), now: () => engine.now(), roundTrips: () => engine.roundTrips },
        options.retention ?? {},
      ),
    });
    await engine.begin(() => {
      const bellLink = new Link(clientMaker(address, `queue-core ${client} bell`), silenceMs);
      const everyMs = options.newsEveryMs ?? 0;
      return bellOf(engine, { link: bellLink, key: keys.bell, silenceMs, everyMs, identity });
    });
    return engine;
  } catch (error) {
    link.close();
    throw error;
  }
}

/** The first call: makes the cell where there is none and none is expected. */
async function begin(
  parts: {
    readonly link: Link;
    readonly meta: string;
    readonly identity: DataIdentity;
    readonly time: RedisTime;
    readonly deadlineMs: number;
  },
  atLeast: DataMark | undefined,
): Promise<void> {
  const { link, meta, identity, time, deadlineMs } = parts;
  const redis = await link.up(deadlineMs);
  if (redis === undefined) throw new QueueError("UNREACHABLE", `Redis cannot be reached: ${link.fault}`);
  await checkVersion(redis);
  const out = new CallWriter();
  out.array(9);
  out.text(identity.client);
  out.number(0);
  if (atLeast === undefined) out.none();
  else out.text(atLeast.incarnation);
  out.number(atLeast === undefined ? 0 : atLeast.sequence + 1);
  if (atLeast?.fork === undefined) out.none();
  else out.number(atLeast.fork);
  if (time.given === false) out.none();
  else out.number(time.given);
  for (let part = 0; part < 3; part++) out.array(0);
  const incarnation = atLeast === undefined ? randomBytes(12).toString("hex") : "";
  const args = [draining.source, 1, meta, out.copy(), "verify", incarnation];
  try {
    time.told(identity.read(await link.send(redis, "EVAL", args, deadlineMs)));
  } catch (error) {
    if (error instanceof QueueError) throw error;
    throw new QueueError("UNREACHABLE", `Redis refused the first call: ${describeFault(error)}`);
  }
}

function bellOf(
  engine: OpenRedisEngine,
  parts: {
    readonly link: Link;
    readonly key: string;
    readonly silenceMs: number;
    readonly everyMs: number;
    readonly identity: DataIdentity;
  },
): Bell {
  const { link, key, silenceMs, everyMs, identity } = parts;
  return new Bell({
    link,
    key,
    silenceMs,
    everyMs,
    client: identity.client,
    from: identity.seen,
    listener: {
      appended: (topic, partition) => engine.appended(topic, partition),
      written: (namespace) => engine.notifier.written(namespace),
      topicsDeclared: () => {
        engine.loadTopics().catch(() => undefined);
      },
      saw: (nextSequence, fork) => identity.saw(nextSequence, fork),
      everything: () => engine.everything(),
    },
  });
}
