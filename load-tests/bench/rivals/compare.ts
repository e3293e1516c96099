/**
 * queue-core beside BullMQ, Redis Streams and SQLite: the same messages, the same two jobs, rounds in turn.
 *
 * Where there is no Redis server its rows are left out, and a line says so.
 */
import { join } from "node:path";
import { inOwnFolder } from "../../../queue-core/bench/bed.ts";
import { type BenchOptions, type BenchRow, median, ratioOfRounds } from "../../../queue-core/bench/row.ts";
import { openBullmq } from "./bullmq.ts";
import { openOurQueue } from "./our-queue.ts";
import { type AppendFsync, findRedisServer, type PrivateRedis, startRedis } from "./redis-server.ts";
import { openRedisStreams } from "./redis-streams.ts";
import type { Rival } from "./rival.ts";
import { openSqlite } from "./sqlite.ts";

const settings: readonly AppendFsync[] = ["always", "everysec"];

export function benchRivals({ rounds }: BenchOptions): Promise<readonly BenchRow[]> {
  return inOwnFolder("rivals", async (folder) => {
    const servers: PrivateRedis[] = [];
    const rivals: Rival[] = [];
    try {
      const ours = await openOurQueue(folder);
      rivals.push(ours);
      rivals.push(openSqlite(join(folder, "sqlite")));
      const program = findRedisServer();
      if (program === undefined) console.log("no redis-server on the PATH: rows with BullMQ and Redis are left out");
      for (const setting of program === undefined ? [] : settings) {
        const server = await startRedis(program as string, join(folder, setting), setting);
        servers.push(server);
        rivals.push(await openRedisStreams(server, setting), await openBullmq(server, setting));
      }
      return await compare(ours, rivals.slice(1), rounds);
    } finally {
      for (const rival of rivals) await rival.stop();
      for (const server of servers) await server.stop();
    }
  });
}

const jobs = ["publish", "publishAndConsume"] as const;
type Job = (typeof jobs)[number];
const titles: Record<Job, string> = { publish: "durable publish", publishAndConsume: "publish → consume" };

async function compare(ours: Rival, rivals: readonly Rival[], rounds: number): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const job of jobs) {
    const rates = new Map<Rival, number[]>([ours, ...rivals].map((rival) => [rival, []]));
    for (let round = 0; round <= rounds; round++) {
      for (const [rival, measured] of inTurn([...rates], round)) {
        const count = rival.messagesPerRound;
        const elapsedMs = await rival[job](round * count, count);
        if (round > 0) measured.push((count * 1000) / elapsedMs);
      }
    }
    const own = rates.get(ours) as number[];
    for (const rival of rivals) rows.push(rowOf(job, rival, own, rates.get(rival) as number[]));
  }
  return rows;
}

/** Whoever comes first meets the disk as the last round left it: each round begins with another one. */
function inTurn<Side>(sides: readonly Side[], round: number): readonly Side[] {
  const first = round % sides.length;
  return [...sides.slice(first), ...sides.slice(0, first)];
}

function rowOf(job: Job, rival: Rival, own: readonly number[], theirs: readonly number[]): BenchRow {
  return {
    name: `${titles[job]} vs ${rival.name}`,
    unit: "messages/s",
    ours: median(own),
    theirs: median(theirs),
    ratio: ratioOfRounds(own, theirs),
    rounds: own.length,
    ...(job === "publish" ? { note: `${rival.name}: an acknowledged message is ${rival.durability}` } : {}),
  };
}
