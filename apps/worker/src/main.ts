/** A worker as a process of its own, beside any number of others on one Redis. `--help` tells its environment. */
import { allTopics, openFaults, openKnobs } from "@plateau/domain";
import { openRedisQueue, required, runProcess, startWith, values, withDefault } from "@plateau/hosting";
import { createHttpRiskScorer } from "./http-risk-scorer.ts";
import { startWorker } from "./start-worker.ts";

runProcess({
  name: "worker",
  purpose: "Decides purchases: risk control, then stock. Partitions move as workers come and go.",
  variables: {
    REDIS_URL: required("the queue, redis://[user:password@]host[:port][/database]", values.redisUrl),
    SANDBOX_URL: required("the risk scorer's address", values.httpUrl),
    WORKER_MEMBERS: withDefault("members of each stage in this process", values.count, "1"),
  },
  async start(settings, log) {
    const { started, parts } = await startWith(async (list) => {
      const opening = openRedisQueue({
        app: "worker",
        url: settings.REDIS_URL,
        topics: allTopics,
        log,
      });
      const { queue, failed } = list.add(await opening, (opened) => opened.stop());
      const knobs = await openKnobs({ engine: queue.engine });
      const faults = list.add(await openFaults({ engine: queue.engine }), (opened) => opened.stop());
      const scorer = createHttpRiskScorer({ url: settings.SANDBOX_URL });
      // The first call opens a connection and warms the path up; it must not cost the first batch its scores.
      await scorer.score([], AbortSignal.timeout(1_000)).catch(() => log.warn("the risk scorer does not answer yet"));
      const worker = await startWorker({
        queue,
        scorer,
        knobs: knobs.get,
        members: settings.WORKER_MEMBERS,
        faults,
        log,
      });
      list.add(worker, (running) => running.stop());
      return { failed };
    });
    return { ready: { members: settings.WORKER_MEMBERS }, stop: () => parts.stop(), failed: started.failed };
  },
});
