/**
 * `npm run bench [-- <name> …] [--quick]`: benchmarks as ratios or rates, same run, both sides, medians of
 * alternating rounds. `queue` stands for every bench of queue-core, `redis` for those of the profile on Redis; `--quick` takes fewer rounds, for a look.
 * Exits 1 where a bar is not met or a round is invalid.
 */
import { join } from "node:path";
import { meetsBar } from "../../queue-core/bench/row.ts";
import { benchClusterIdle } from "./cluster-idle.ts";
import { benchGatewayOnRedis } from "./gateway-vs-bullmq.ts";
import { benchGateway } from "./gateway-vs-fastify.ts";
import { benchPages } from "./pages.ts";
import { type Bench, queueBenches } from "./queue.ts";
import { benchReplies } from "./reply-vs-bullmq.ts";
import { type BenchRow, printTable, writeRows } from "./table.ts";

const redisBenches: Readonly<Record<string, Bench>> = {
  "reply-vs-bullmq": benchReplies,
  "gateway-vs-bullmq": benchGatewayOnRedis,
  "cluster-idle": benchClusterIdle,
};
const benches: Readonly<Record<string, Bench>> = {
  ...queueBenches,
  "gateway-vs-fastify": benchGateway,
  pages: benchPages,
  ...redisBenches,
};
const groups: Readonly<Record<string, readonly string[]>> = {
  queue: Object.keys(queueBenches),
  redis: Object.keys(redisBenches),
};

const quick = "--quick";
const given = process.argv.slice(2);
const named = given.filter((argument) => argument !== quick).flatMap((name) => groups[name] ?? [name]);
const unknown = named.filter((name) => !(name in benches));
if (unknown.length > 0) {
  const known = [...Object.keys(groups), ...Object.keys(benches)];
  console.error(`no bench named ${unknown.join(", ")}; there are: ${known.join(", ")}`);
  process.exit(1);
}
const options = { rounds: given.includes(quick) ? 2 : 5 };
const rows: BenchRow[] = [];
for (const [name, bench] of Object.entries(benches)) {
  if (named.length > 0 && !named.includes(name)) continue;
  if (process.stderr.isTTY) console.error(`${name} …`);
  rows.push(...(await bench(options)));
}
printTable(rows);
const file = join(process.env.DATA_DIR ?? ".data", "bench.json");
await writeRows(file, rows);
console.log(`written to ${file}`);
process.exit(rows.every(meetsBar) ? 0 : 1);
