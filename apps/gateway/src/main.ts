/** A gateway as a process of its own, beside any number of others on one Redis. `--help` tells its environment. */
import { allTopics, type Knobs, openKnobs } from "@plateau/domain";
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
import { ForeignDatabase, prepareDatabase } from "@plateau/prisma";
import { type RunningGateway, startGateway } from "./index.ts";
import { keepTimetableFilled } from "./sales/sale-timetable.ts";

/** As in the demo: bounded, and slow enough that a queue of some ten seconds builds up. */
const crowds = { crowd: 400, decisionCostMs: 25 };
const foreign = "this database belongs to the data of another Redis; use that one, or an empty database";

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
    TRUSTED_PROXIES: withDefault("whose X-Forwarded-For is believed: addresses or CIDRs", values.proxies, ""),
    SECURE_COOKIES: withDefault("1 where TLS ends here or in a trusted proxy", values.flag, "0"),
    KNOBS: withDefault("settings until somebody changes them, JSON", values.jsonObject, "{}"),
    CROWDS: withDefault("1: shoppers may start a sale with a crowd, as in the demo", values.flag, "0"),
  },
  async start(settings, log) {
    const { started, parts } = await startWith(async (list) => {
      const { queue, risks, failed } = await openRedisQueue({
        app: "gateway",
        url: settings.REDIS_URL,
        topics: allTopics,
        log,
      });
      list.add(queue, (opened) => opened.stop());
      const preparing = prepareDatabase({ url: settings.DATABASE_URL, engine: queue.engine });
      const { db, toSellOut } = list.add(await preparing.catch(tellAs(ForeignDatabase, foreign)), (opened) =>
        opened.db.$disconnect(),
      );
      const knobs = await openKnobs({ engine: queue.engine, initial: settings.KNOBS as Partial<Knobs> });
      list.add(keepTimetableFilled(queue, db, log), (stop) => stop());
      const gateway: RunningGateway = await startGateway({
        queue,
        db,
        knobs,
        company: "beside-others",
        storageRisks: risks,
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
        ...(settings.CROWDS ? { replay: crowds } : {}),
      });
      list.add(gateway, (running) => running.stop());
      return { url: gateway.url, toSellOut, failed };
    });
    return {
      ready: { url: started.url, toSellOut: started.toSellOut },
      stop: () => parts.stop(),
      failed: started.failed,
    };
  },
});
