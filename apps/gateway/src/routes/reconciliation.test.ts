import { groups, lastReportKey, type ReconciliationReport, reconciliationJobs } from "@plateau/domain";
import { stateNamespace } from "queue-core";
import { expect, test } from "vitest";
import { adminToken, useBeds } from "../testing/gateway-bed.ts";

const startBed = useBeds();

test("the last reconciliation's report is shown to the admin alone; before the first there is none", async () => {
  const bed = await startBed();
  const admin = { token: adminToken };
  expect((await bed.call("GET", "/api/ops/reconciliation")).status).toBe(401);
  expect((await bed.call("GET", "/api/ops/reconciliation", admin)).body).toEqual({ report: null });
  const report: ReconciliationReport = {
    verdict: "differ",
    startedAt: "2031-05-04T12:00:00.000Z",
    finishedAt: "2031-05-04T12:00:00.100Z",
    sales: { compared: 3, changing: 1 },
    found: 1,
    differences: [{ kind: "sms-missing", subject: "o_1:created", detail: "no message was sent", repair: "asked" }],
    unlooked: [],
    jobs: { sms: { waiting: 0, delayed: 0, failed: 0 } },
  };
  const namespace = stateNamespace(groups.reconciliation, reconciliationJobs.name, 0);
  const value = Buffer.from(JSON.stringify(report));
  await bed.queue.engine.commit({ put: [{ namespace, key: lastReportKey, value }] });
  expect((await bed.call("GET", "/api/ops/reconciliation", admin)).body).toEqual({ report });
});
