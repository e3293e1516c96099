/**
 * Probes and metrics.
 *
 * What can go wrong: a probe that only says "the process runs" keeps a stuck one in service. Ready means progress: a
 * commit went through in the last seconds, or goes through now. A database that is down is named but does not make
 * the gateway unready: the sale goes on without it. Settings of the store that risk what it acknowledged are told too.
 */
import type { FastifyInstance } from "fastify";
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { Queue } from "queue-core";
import { problemBody, problemContentType } from "../edge/problem.ts";
import type { Gateway } from "../gateway.ts";
import type { StorageRisk } from "../gateway-options.ts";
import { countDeadLetters } from "./dead-letters.ts";

const probeWithinMs = 2_000;
/** Probes closer together share one commit. */
const probeEveryMs = 1_000;
const probeNamespace = "gateway-probe";

export function probeRoutes(app: FastifyInstance, gateway: Gateway): void {
  const metrics = gatewayMetrics(gateway);
  const progress = engineProgress(gateway);

  app.get("/healthz", { schema: { hide: true } }, async () => ({ status: "alive" }));

  app.get("/readyz", { schema: { hide: true } }, async (_request, reply) => {
    const [engine, database, risks] = await Promise.all([progress(), databaseAnswers(gateway), storageRisks(gateway)]);
    const checks = { engine: engine ? "progressing" : "stuck", database: database ? "answering" : "down" };
    const atRisk = risks.length === 0 ? {} : { risks };
    if (engine) return { status: database ? "ready" : "degraded", checks, ...atRisk };
    return reply
      .code(503)
      .type(problemContentType)
      .send(problemBody({ code: "unavailable", members: { checks, ...atRisk } }));
  });

  app.get("/metrics", { schema: { hide: true } }, async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.metrics()),
  );
}

function engineProgress({ queue, id }: Gateway): () => Promise<boolean> {
  let last = { atMs: Number.NEGATIVE_INFINITY, outcome: Promise.resolve(false) };
  return () => {
    const atMs = performance.now();
    if (atMs - last.atMs >= probeEveryMs) {
      const commit = queue.engine.commit({
        put: [{ namespace: probeNamespace, key: id, value: Buffer.from("1"), expiresAtMs: queue.now() + 60_000 }],
      });
      last = { atMs, outcome: within(probeWithinMs, commit) };
    }
    return last.outcome;
  };
}

/** They change when somebody sets up the store anew; a probe must not wait long for them. */
async function storageRisks({ options }: Gateway): Promise<readonly StorageRisk[]> {
  const asked = options.storageRisks?.() ?? Promise.resolve([]);
  let risks: readonly StorageRisk[] = [];
  await within(
    probeWithinMs,
    asked.then((found) => {
      risks = found;
    }),
  );
  return risks;
}

const databaseAnswers = ({ db }: Gateway): Promise<boolean> => within(probeWithinMs, db.$queryRaw`SELECT 1`);

/** Whether it resolves in time. */
async function within(timeoutMs: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, false);
  });
  const outcome = await Promise.race([late, work.then(() => true).catch(() => false)]);
  clearTimeout(timer);
  return outcome;
}

function gatewayMetrics({ meter, pending, backlog, streams, queue }: Gateway): Registry {
  const registry = new Registry();
  // By default the event loop is looked at every 10 ms, which is most of what an idle gateway does.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 });
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  };
  gauge("plateau_pending_purchases", "Purchases on their way at this gateway", () => pending.size);
  gauge("plateau_backlog_messages", "Undecided messages", () => backlog.lagMessages);
  gauge("plateau_event_streams", "Open event streams", () => streams.statistics.open);
  gauge("plateau_engine_commits", "Commits of the engine", () => queue.engine.statistics().commits);
  gauge("plateau_engine_syncs", "Physical syncs of the engine", () => queue.engine.statistics().syncs);
  roundTripMetrics(queue, registers);
  new Gauge({
    name: "plateau_dead_letters",
    help: "Messages that a group gave up on and nobody has redriven",
    labelNames: ["group", "topic"],
    registers,
    async collect() {
      for (const { group, topic, count } of await countDeadLetters(queue)) this.set({ group, topic }, count);
    },
  });
  new Gauge({
    name: "plateau_answer_milliseconds",
    help: "Answer times of purchases over the last 10 s",
    labelNames: ["quantile"],
    registers,
    collect() {
      const { p50, p95, p99 } = meter.answers.percentiles(queue.now());
      for (const [quantile, value] of [
        ["0.5", p50],
        ["0.95", p95],
        ["0.99", p99],
      ] as const) {
        this.set({ quantile }, value ?? Number.NaN);
      }
    },
  });
  const counter = (
    name: string,
    help: string,
    label: string,
    read: () => Iterable<readonly [string, number]>,
  ): void => {
    new Counter({
      name,
      help,
      labelNames: [label],
      registers,
      collect() {
        this.reset();
        for (const [value, count] of read()) this.inc({ [label]: value }, count);
      },
    });
  };
  counter("plateau_purchase_calls_total", "Purchase calls", "step", () => [
    ["arrived", meter.totals.arrivals],
    ["admitted", meter.totals.admitted],
  ]);
  counter("plateau_refusals_total", "Refused purchases", "reason", () => meter.totals.refused);
  counter("plateau_decisions_total", "Decided purchases of this gateway", "outcome", () => meter.totals.outcomes);
  return registry;
}

/** Divided by decided purchases, `all` tells how well what goes to the store is gathered. */
function roundTripMetrics({ engine }: Queue, registers: Registry[]): void {
  if (engine.statistics().roundTrips === undefined) return;
  new Counter({
    name: "plateau_engine_round_trips_total",
    help: "Round trips to the store: of this process since its start, of all processes since the store's",
    labelNames: ["of"],
    registers,
    collect() {
      const { own, all } = engine.statistics().roundTrips ?? { own: 0, all: 0 };
      this.reset();
      this.inc({ of: "this-process" }, own);
      this.inc({ of: "all-processes" }, all);
    },
  });
}
