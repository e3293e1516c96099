/**
 * `gateway-vs-fastify`: purchases per second that went the whole way (risk, stock, both commits on disk, scorer,
 * consumers and PostgreSQL running as in the demo), against the same Fastify with session and validation answering a
 * constant. Rounds alternate, and before each the consumers have caught up, so that neither side pays for the other.
 *
 * A round is valid only when every request got the answer that the row is about; otherwise the bench throws.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type System, startSystem } from "../../apps/demo/src/system.ts";
import type { BenchOptions } from "../../queue-core/bench/row.ts";
import { BenchChild } from "./child.ts";
import { type GeneratorResult, runRound } from "./generator.ts";
import { baselineSecret, caughtUp, liftLimits, openSale, shoppers, signBaselineTokens } from "./system-calls.ts";
import { type BenchRow, median, percentile } from "./table.ts";

const requestsPerRound = 6_000;
const connections = 256;
const bar = 0.2;

/** What a row sells and what every answer of it has to be. */
interface Row {
  readonly name: string;
  readonly stock: number;
  readonly quantity: number;
  readonly status: string;
  readonly barred: boolean;
  /** One shopper buys the only unit before the clock starts. */
  readonly soldOutBefore?: boolean;
}

const rowsWanted: readonly Row[] = [
  { name: "gateway-vs-fastify: all in stock", stock: requestsPerRound, quantity: 1, status: "201", barred: true },
  // One unit is left and two are asked for: the hint does not apply, so each "sold out" is decided in the queue.
  { name: "gateway-vs-fastify: sold out, by the queue", stock: 1, quantity: 2, status: "409", barred: true },
  {
    name: "gateway-vs-fastify: sold out, by the hint",
    stock: 1,
    quantity: 1,
    status: "409",
    barred: false,
    soldOutBefore: true,
  },
];

export async function benchGateway({ rounds }: BenchOptions): Promise<readonly BenchRow[]> {
  const dataDir = await mkdtemp(join(tmpdir(), "plateau-bench-"));
  const system = await startSystem({ dataDir, storefront: false, crowd: false, logLevel: "warn" });
  const generator = new BenchChild("./generator.ts");
  const baseline = new BenchChild("./baseline.ts", { SESSION_SECRET: baselineSecret });
  try {
    const { port: baselinePort } = await baseline.next<{ port: number }>();
    await liftLimits(system);
    const [spare = "", ...tokens] = await shoppers(system, requestsPerRound + 1);
    const baselineTokens = await signBaselineTokens(requestsPerRound);
    const systemPort = Number(new URL(system.url).port);
    const rows: BenchRow[] = [];
    for (const row of rowsWanted) {
      const job = { host: "127.0.0.1", body: JSON.stringify({ quantity: row.quantity }), connections };
      const ours: GeneratorResult[] = [];
      const theirs: GeneratorResult[] = [];
      // Round 0 warms both sides up and is not counted.
      for (let round = 0; round <= rounds; round++) {
        const saleId = await openSale(system, row.stock);
        const path = `/api/sales/${saleId}/purchases`;
        if (row.soldOutBefore) await buyOne(system, path, spare);
        const our = await runRound(
          generator,
          { ...job, ports: [systemPort], path, tokens, keyPrefix: "bench" },
          row.status,
        );
        await caughtUp(system);
        const their = await runRound(
          generator,
          { ...job, ports: [baselinePort], path, tokens: baselineTokens, keyPrefix: "bench" },
          "201",
        );
        if (round === 0) continue;
        ours.push(our);
        theirs.push(their);
      }
      rows.push(benchRow(row, ours, theirs));
    }
    return rows;
  } finally {
    await Promise.all([generator.stop(), baseline.stop()]);
    await system.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

const perSecond = (result: GeneratorResult): number => (requestsPerRound / result.elapsedMs) * 1000;

function benchRow(row: Row, ours: readonly GeneratorResult[], theirs: readonly GeneratorResult[]): BenchRow {
  const ratios = ours.map((our, round) => perSecond(our) / perSecond(theirs[round] as GeneratorResult));
  return {
    name: row.name,
    unit: "purchases/s",
    ours: median(ours.map(perSecond)),
    theirs: median(theirs.map(perSecond)),
    ratio: median(ratios),
    p50Ms: median(ours.map((result) => percentile(result.latenciesMs, 0.5))),
    p99Ms: median(ours.map((result) => percentile(result.latenciesMs, 0.99))),
    rounds: ours.length,
    ...(row.barred ? { bar } : {}),
  };
}

async function buyOne(system: System, path: string, token: string): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json", prefer: "wait=30" };
  const response = await fetch(`${system.url}${path}`, { method: "POST", headers, body: "{}" });
  if (response.status !== 201)
    throw new Error(`the only unit was not sold: ${response.status} ${await response.text()}`);
}
