import { groups, OpsMembers, purchaseRequests } from "@plateau/domain";
import { expect, test } from "vitest";
import { adminToken, useBeds } from "../testing/gateway-bed.ts";

const startBed = useBeds();

test("groups, members and owners of partitions are shown to the admin alone, with their processes and epochs", async () => {
  const bed = await startBed();
  expect((await bed.call("GET", "/api/ops/members")).status).toBe(401);
  const answer = await bed.call("GET", "/api/ops/members", { token: adminToken });
  const { atMs, groups: shown } = OpsMembers.parse(answer.body);
  const risk = shown.find(({ group, topic }) => group === groups.risk && topic === purchaseRequests.name);
  expect(risk?.partitions).toHaveLength(purchaseRequests.partitions);
  expect(risk?.members).toHaveLength(1);
  for (const partition of risk?.partitions ?? []) {
    expect(partition).toMatchObject({
      owner: risk?.members[0]?.id,
      process: risk?.members[0]?.process,
      lagMessages: 0,
    });
    expect(partition.epoch).toBeGreaterThan(0);
    expect(partition.leasedUntilMs).toBeGreaterThan(atMs);
  }
});
