/**
 * publish → process → reply round trips per second, with a fixed number in flight, on the memory or log engine.
 *
 *   node queue-core/bench/round-trip.ts [memory|log] [seconds] [in flight]
 *
 * What can go wrong: a first second of unoptimised code would be counted; it is run and thrown away.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMemoryEngine, defineTopic, type Engine, openQueue } from "../src/index.ts";

interface Request {
  readonly user: string;
  readonly sale: string;
  readonly n: number;
}

const [engineName = "memory", seconds = "3", inFlight = "256"] = process.argv.slice(2);

async function openEngine(folder: string): Promise<Engine> {
  if (engineName === "memory") return createMemoryEngine();
  const { openLogEngine } = await import("../src/engines/log/open-log-engine.ts");
  return openLogEngine({ directory: folder });
}

const folder = mkdtempSync(join(tmpdir(), "round-trip-"));
const requests = defineTopic<Request>({ name: "requests", partitions: 4, keyOf: (request) => request.user });
const queue = await openQueue({ engine: await openEngine(folder), topics: [requests] });
try {
  await queue.process<Request>({
    group: "deciders",
    topic: requests,
    keys: (request) => [`sale:${request.sale}`, `result:${request.n}`],
    decide: (message, state) => {
      const { sale, n } = message.value;
      const counted = state.get<{ count: number }>(`sale:${sale}`) ?? { count: 0 };
      if (state.get(`result:${n}`) !== undefined) return { reply: { repeated: true } };
      return {
        writes: [
          { key: `sale:${sale}`, value: { count: counted.count + 1 } },
          { key: `result:${n}`, value: { count: counted.count + 1 }, expiresAfterMs: 60_000 },
        ],
        reply: { n, count: counted.count + 1 },
      };
    },
  });
  const requester = await queue.requester();
  let sent = 0;
  let answered = 0;
  const latencies: number[] = [];
  let ends = performance.now() + 1_000;
  const client = async (): Promise<void> => {
    while (performance.now() < ends) {
      const n = sent++;
      const begun = performance.now();
      const value = { user: `user-${n}`, sale: "sale-1", n };
      const answer = await requester.send<Request, { n: number }>(requests, value, { timeoutMs: 10_000 }).reply;
      if (answer.n !== n) throw new Error(`request ${n} was answered with ${answer.n}`);
      answered++;
      latencies.push(performance.now() - begun);
    }
  };
  const run = () => Promise.all(Array.from({ length: Number(inFlight) }, client));
  await run();
  answered = 0;
  latencies.length = 0;
  const cpuBefore = process.cpuUsage();
  const begun = performance.now();
  ends = begun + Number(seconds) * 1_000;
  await run();
  const perSecond = Math.round((answered / (performance.now() - begun)) * 1_000);
  const cpu = process.cpuUsage(cpuBefore);
  const cpuMicros = ((cpu.user + cpu.system) / answered).toFixed(1);
  latencies.sort((a, b) => a - b);
  const percentile = (share: number) => (latencies[Math.floor(latencies.length * share)] ?? Number.NaN).toFixed(2);
  console.log(
    `${engineName}: ${perSecond} round trips/s with ${inFlight} in flight, ` +
      `p50 ${percentile(0.5)} ms, p99 ${percentile(0.99)} ms, ${cpuMicros} µs of processor time each`,
  );
} finally {
  await queue.stop();
  rmSync(folder, { recursive: true, force: true });
}
