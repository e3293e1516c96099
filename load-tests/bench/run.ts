/**
 * `npm run bench [-- <name>]`: every benchmark as a ratio or a rate, same run, both sides, medians of alternating
 * rounds. Exits 1 where a bar is not met or a round is invalid.
 */
import { join } from "node:path";
import { benchGateway } from "./gateway-vs-fastify.ts";
import { benchPublish } from "./publish.ts";
import { type BenchRow, printTable, writeRows } from "./table.ts";

const benches: Record<string, () => Promise<readonly BenchRow[]>> = {
  "publish-durable": benchPublish,
  "gateway-vs-fastify": benchGateway,
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in benches));
if (unknown.length > 0) {
  console.error(`no bench named ${unknown.join(", ")}; there are: ${Object.keys(benches).join(", ")}`);
  process.exit(1);
}
const rows: BenchRow[] = [];
for (const [name, bench] of Object.entries(benches)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  rows.push(...(await bench()));
}
printTable(rows);
const file = join(process.env.DATA_DIR ?? ".data", "bench.json");
await writeRows(file, rows);
console.log(`written to ${file}`);
process.exit(rows.every((row) => row.bar === undefined || (row.ratio ?? row.ours) >= row.bar) ? 0 : 1);
