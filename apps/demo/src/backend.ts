/**
 * The back end as one process: the `log` engine, the worker's stages and the gateway in the main thread, the consumers
 * in a thread of their own, over one engine.
 *
 * Configured by environment alone (see `readConfiguration`), so it also runs by itself:
 * `HOST=… PORT=… … node apps/demo/src/backend.ts`.
 *
 * Promises: it listens only when everything behind it works; it ends, rather than going on, when the engine can
 * store nothing any more or the consumers' thread is gone; a stop lets calls in flight finish, front to back. A kill at any instant is made good by
 * the next start.
 */
import { MessageChannel } from "node:worker_threads";
import { allTopics, delayByFaults, type FaultStore, type Knobs, openFaults, openKnobs } from "@plateau/domain";
import { keepTimetableFilled, startGateway } from "@plateau/gateway";
import { createLog, type Hosted, hostProcess, type LogLevel, tellAs, values } from "@plateau/hosting";
import { type Database, ForeignDatabase, prepareDatabase } from "@plateau/prisma";
import { createHttpRiskScorer, startWorker } from "@plateau/worker";
import type { Logger } from "pino";
import { openLogEngine, openQueue, type Queue, serveEngine } from "queue-core";
import { type ChildThread, startThread } from "./child-thread.ts";
import type { ConsumersThreadSettings } from "./consumers-thread.ts";
import { required } from "./required-variable.ts";
import { threadPlayer } from "./spikes/thread-player.ts";

export interface BackendReady {
  readonly url: string;
  /** Sales that simulated shoppers should buy empty: the shop's example of "sold out". */
  readonly toSellOut: readonly string[];
}

interface Configuration {
  readonly host: string;
  readonly port: number;
  readonly queueFolder: string;
  readonly databaseUrl: string;
  readonly sandboxUrl: string;
  readonly storefrontUrl: string | undefined;
  readonly fourWaysUrl: string | undefined;
  readonly adminToken: string;
  readonly secrets: { readonly session: string; readonly purchase: string };
  readonly trustedProxies: readonly string[];
  readonly secureCookies: boolean;
  /** Whoever opens the control room at this machine is signed in. */
  readonly signsInLocalPerson: boolean;
  /** First settings, JSON; what is not named has its default. */
  readonly knobs: unknown;
  /** Members of each stage of the worker. */
  readonly members: number;
  readonly logLevel: LogLevel;
}

/** What "try again with a crowd" opens: bounded, and slow enough that a queue of some ten seconds builds up. */
const replay = { decisionCostMs: 25 };

const foreign =
  "this database belongs to another log: its orders do not fit the stock of this data folder; " +
  "use the folder it was made with, or an empty database";

process.title = "plateau-backend";

hostProcess<BackendReady>(async () => {
  const configuration = readConfiguration();
  return startBackend(configuration, createLog("backend", configuration.logLevel));
});

function readConfiguration(): Configuration {
  return {
    host: required("HOST"),
    port: Number(required("PORT")),
    queueFolder: required("QUEUE_FOLDER"),
    databaseUrl: required("DATABASE_URL"),
    sandboxUrl: required("SANDBOX_URL"),
    storefrontUrl: process.env.STOREFRONT_URL,
    fourWaysUrl: process.env.FOUR_WAYS_URL,
    adminToken: required("ADMIN_TOKEN"),
    secrets: { session: required("SESSION_SECRET"), purchase: required("PURCHASE_SECRET") },
    trustedProxies: values.proxies(process.env.TRUSTED_PROXIES ?? "", "TRUSTED_PROXIES"),
    secureCookies: values.flag(process.env.SECURE_COOKIES ?? "0", "SECURE_COOKIES"),
    signsInLocalPerson: values.flag(process.env.SIGN_IN_LOCAL_PERSON ?? "0", "SIGN_IN_LOCAL_PERSON"),
    knobs: JSON.parse(process.env.KNOBS ?? "{}"),
    members: Number(process.env.WORKER_MEMBERS ?? "1"),
    logLevel: values.logLevel(process.env.LOG_LEVEL ?? "info", "LOG_LEVEL"),
  };
}

async function startBackend(configuration: Configuration, log: Logger): Promise<Hosted<BackendReady>> {
  // What is started is stopped in reverse order, also when a later part does not start.
  const started: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const stopOne of started.splice(0).reverse()) await stopOne();
  };
  try {
    const opening = openBackendQueue(configuration.queueFolder, log).then((opened) => {
      started.unshift(() => opened.stop());
      return opened;
    });
    const slow = delayByFaults();
    const [queue, { db, toSellOut }] = await Promise.all([
      opening,
      prepare(configuration.databaseUrl, opening, { log, ...slow }).then((prepared) => {
        started.unshift(() => prepared.db.$disconnect());
        return prepared;
      }),
    ]);
    const faults = await openFaults({ engine: queue.engine, onBackgroundError: tellOf(log) });
    slow.follow(faults);
    started.push(() => faults.stop());
    const url = await startParts(configuration, { queue, db, faults, log, started });
    started.push(keepTimetableFilled(queue, db, log));
    return { ready: { url, toSellOut }, stop, failed: queue.engine.failed };
  } catch (error) {
    await stop();
    throw error;
  }
}

function openBackendQueue(directory: string, log: Logger): Promise<Queue> {
  return openLogEngine({ directory }).then((engine) =>
    openQueue({
      engine,
      topics: allTopics,
      processName: "backend",
      onBackgroundError: (where, error) => log.warn({ err: error }, `queue: ${where}`),
    }),
  );
}

/** Both at once as far as they can be. */
function prepare(
  url: string,
  opening: Promise<Queue>,
  { log, delayMs }: { readonly log: Logger; readonly delayMs: () => number },
) {
  return prepareDatabase({
    url,
    delayMs,
    engine: opening.then(({ engine }) => engine),
    onConnectionError: (error) => log.debug({ err: error }, "a connection to the database broke"),
  }).catch(tellAs(ForeignDatabase, foreign));
}

const tellOf =
  (log: Logger) =>
  (where: string, error: unknown): void =>
    log.warn({ err: error }, where);

interface Ground {
  readonly queue: Queue;
  readonly db: Database;
  readonly faults: FaultStore;
  readonly log: Logger;
  readonly started: (() => Promise<void>)[];
}

/** Back to front, so that the gateway takes no request that nobody would decide. */
async function startParts(configuration: Configuration, { queue, db, faults, log, started }: Ground): Promise<string> {
  const { sandboxUrl } = configuration;
  const knobs = await openKnobs({
    engine: queue.engine,
    initial: { workers: configuration.members, ...(configuration.knobs as Partial<Knobs>) },
    onBackgroundError: tellOf(log),
  });
  started.push(async () => knobs.stop());
  const scorer = createHttpRiskScorer({ url: sandboxUrl });
  // The first call opens a connection and warms the path up; it must not cost the first batch its scores.
  await scorer.score([], AbortSignal.timeout(1_000)).catch(() => log.warn("the risk scorer does not answer yet"));
  const worker = await startWorker({ queue, scorer, knobs: knobs.get, members: "by knob", faults, log });
  started.push(() => worker.stop());
  const consumers = await startConsumers(configuration, queue);
  started.push(() => consumers.stop());
  const gateway = await startGateway({
    queue,
    db,
    knobs,
    faults,
    secrets: configuration.secrets,
    adminToken: configuration.adminToken,
    host: configuration.host,
    port: configuration.port,
    sandboxUrl,
    log,
    replay,
    spikePlayer: threadPlayer,
    secureCookies: configuration.secureCookies,
    signsInLocalPerson: configuration.signsInLocalPerson,
    ...(configuration.trustedProxies.length === 0 ? {} : { trustedProxies: configuration.trustedProxies }),
    ...(configuration.fourWaysUrl === undefined ? {} : { fourWaysUrl: configuration.fourWaysUrl }),
    ...(configuration.storefrontUrl === undefined ? {} : { storefrontUrl: configuration.storefrontUrl }),
  });
  started.push(() => gateway.stop());
  return gateway.url;
}

function startConsumers({ databaseUrl, sandboxUrl, logLevel }: Configuration, queue: Queue): Promise<ChildThread> {
  const { port1, port2 } = new MessageChannel();
  serveEngine(queue.engine, port1);
  const settings: ConsumersThreadSettings = { engine: port2, databaseUrl, sandboxUrl, logLevel };
  const module = new URL("./consumers-thread.ts", import.meta.url);
  return startThread({ name: "consumers", module, settings, transfer: [port2] });
}
