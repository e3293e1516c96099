/** The last reconciliation's report, as whichever process ran it left it. */
import { groups, lastReportKey, Problem, ReconciliationReport, reconciliationJobs } from "@plateau/domain";
import type { FastifyInstance } from "fastify";
import type { Topic } from "queue-core";
import { z } from "zod";
import type { Gateway } from "../gateway.ts";

/** `ops` asks for the admin token. */
export function reconciliationRoute(ops: FastifyInstance, { queue }: Gateway): void {
  const kept = queue.state(groups.reconciliation, reconciliationJobs as Topic<unknown>);
  ops.get(
    "/ops/reconciliation",
    {
      schema: {
        tags: ["ops"],
        summary:
          "Whether stock, orders, payments, SMS and statistics agreed when last looked; null before the first look",
        response: { 200: z.object({ report: ReconciliationReport.nullable() }), "4xx": Problem },
      },
    },
    async () => ({ report: (await kept.get<ReconciliationReport>("", lastReportKey)) ?? null }),
  );
}
