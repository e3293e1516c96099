/** A gateway as a process of its own, beside any number of others on one Redis. `--help` tells its environment. */
import { allTopics, delayByFaults, type Knobs, openFaults, openKnobs } from "@plateau/domain";
import {
  openRedisQueue,
  optional,
  required,
  runProcess,
  startWith,
  tellAs,
  values,
  withDefault,
} from "@plateau/hosting";
import { BullmqJobOffice } from "@plateau/hosting/bullmq";
import { claimAndSeed, ForeignDatabase, markMemory, openMigrated, replaceMark } from "@plateau/prisma";
import { acceptDataLoss, openRedisEngine } from "queue-core/redis";
import { startDataLossServer } from "./data-loss-server.ts";
import { type RunningGateway, startGateway } from "./index.ts";
import { keepTimetableFilled } from "./sales/sale-timetable.ts";

/** As in the demo: bounded, and slow enough that a queue of some ten seconds builds up. */
const crowds = { decisionCostMs: 25 };
const foreign = "this database belongs to the data of another Redis; use that one, or an empty database";

interface GatewayReady {
  readonly url: string;
  readonly toSellOut: readonly string[];
  /** Why nothing is sold. */
  readonly dataLost?: string;
}

/** First Redis, whose other processes then start anew; and what the database remembers, last. */
async function takeDataAsTheyAre(place: { readonly REDIS_URL: string; readonly DATABASE_URL: string }): Promise<void> {
  const address = { url: place.REDIS_URL };
  await acceptDataLoss({ address });
  const engine = await openRedisEngine({ address });
  const db = await openMigrated(place.DATABASE_URL);
  try {
    await replaceMark(db, engine.mark);
  } finally {
    await db.$disconnect();
    await engine.close();
  }
}

runProcess({
  name: "gateway",
  purpose: "The HTTP edge: takes purchases, waits for their decisions, tells them; serves the control room's API.",
  variables: {
    REDIS_URL: required("the queue, redis://[user:password@]host[:port][/database]", values.redisUrl),
    DATABASE_URL: required("PostgreSQL: catalogue, shoppers, orders", values.databaseUrl),
    SESSION_SECRET: required("signs sessions; the same for all gateways", values.secret),
    PURCHASE_SECRET: required("makes purchase ids unguessable; the same for all gateways, for ever", values.secret),
    ADMIN_TOKEN: required("opens the control room", values.adminToken),
    HOST: withDefault("the address it listens on", values.text, "127.0.0.1"),
    PORT: withDefault("the port it listens on; 0 for a free one", values.port, "3000"),
    STOREFRONT_URL: optional("where the pages are; proxied", values.httpUrl, "no pages"),
    SANDBOX_URL: optional("the outside world, whose faults the control room orders", values.httpUrl, "none"),
    FOUR_WAYS_URL: optional("where the experiment of the four ways is asked for", values.httpUrl, "none"),
    TRUSTED_PROXIES: withDefault("whose X-Forwarded-For is believed: addresses or CIDRs", values.proxies, ""),
    SECURE_COOKIES: withDefault("1 where TLS ends here or in a trusted proxy", values.flag, "0"),
    KNOBS: withDefault("settings until somebody changes them, JSON", values.jsonObject, "{}"),
    CROWDS: withDefault("1: shoppers may start a sale with a crowd, as in the demo", values.flag, "0"),
  },
  async start(settings, log) {
    const { started, parts } = await startWith(async (list) => {
      const slow = delayByFaults();
      const db = list.add(await openMigrated(settings.DATABASE_URL, slow), (opened) => opened.$disconnect());
      const memory = markMemory(db);
      const opening = openRedisQueue({ app: "gateway", url: settings.REDIS_URL, topics: allTopics, log, memory });
      const { queue, risks, failed } = list.add(await opening, (opened) => opened.stop());
      const faults = list.add(await openFaults({ engine: queue.engine }), (opened) => opened.stop());
      slow.follow(faults);
      const { toSellOut } = await claimAndSeed(db, queue.engine).catch(tellAs(ForeignDatabase, foreign));
      const knobs = await openKnobs({ engine: queue.engine, initial: settings.KNOBS as Partial<Knobs> });
      list.add(keepTimetableFilled(queue, db, log), (stop) => stop());
      const onError = (error: unknown) => log.debug({ err: error }, "jobs: Redis");
      const jobs = list.add(new BullmqJobOffice({ url: settings.REDIS_URL, onError }), (opened) => opened.stop());
      const gateway: RunningGateway = await startGateway({
        queue,
        db,
        knobs,
        faults,
        company: "beside-others",
        storageRisks: risks,
        jobs,
        jobsUrl: settings.REDIS_URL,
        secrets: { session: settings.SESSION_SECRET, purchase: settings.PURCHASE_SECRET },
        adminToken: settings.ADMIN_TOKEN,
        host: settings.HOST,
        port: settings.PORT,
        log,
        secureCookies: settings.SECURE_COOKIES,
        ...(settings.TRUSTED_PROXIES.length === 0 ? {} : { trustedProxies: settings.TRUSTED_PROXIES }),
        ...(settings.STOREFRONT_URL === undefined ? {} : { storefrontUrl: settings.STOREFRONT_URL }),
        ...(settings.SANDBOX_URL === undefined ? {} : { sandboxUrl: settings.SANDBOX_URL }),
        ...(settings.FOUR_WAYS_URL === undefined ? {} : { fourWaysUrl: settings.FOUR_WAYS_URL }),
        ...(settings.CROWDS ? { replay: crowds } : {}),
      });
      list.add(gateway, (running) => running.stop());
      return { url: gateway.url, toSellOut, failed };
    });
    return {
      ready: { url: started.url, toSellOut: started.toSellOut } as GatewayReady,
      stop: () => parts.stop(),
      failed: started.failed,
    };
  },
  /** It stays where its clients look for it, and says what is the matter. */
  async startWithout(settings, log, { message: reason }) {
    const server = await startDataLossServer({
      host: settings.HOST,
      port: settings.PORT,
      adminToken: settings.ADMIN_TOKEN,
      secureCookies: settings.SECURE_COOKIES,
      reason,
      log,
      accept: () => takeDataAsTheyAre(settings),
    });
    const ready: GatewayReady = { url: server.url, toSellOut: [], dataLost: reason };
    return { ready, stop: () => server.stop() };
  },
});
