import type { PurchaseId, SaleId, UserId } from "@plateau/domain";
import { pino } from "pino";
import type { Requester, StateView } from "queue-core";
import { expect, test } from "vitest";
import { PendingPurchases } from "./pending-purchases.ts";
import { PurchaseResolver } from "./purchase-resolver.ts";

test("with more overdue purchases than one sweep serves, the next sweep serves the rest", async () => {
  const resolved: string[] = [];
  const never = new Promise<never>(() => undefined);
  const requester: Requester = {
    address: { topic: "replies", partition: 0 },
    send: (_topic, value) => {
      resolved.push((value as { purchaseId: string }).purchaseId);
      return { published: never, reply: never };
    },
    statistics: () => ({ waiting: 0, late: 0, foreign: 0 }),
    stop: async () => undefined,
  };
  const stockState: StateView = { get: async () => undefined, getMany: async () => [] };
  const pending = new PendingPurchases();
  for (let index = 0; index < 1_100; index++) {
    const id = `q_${index}` as PurchaseId;
    const of = { saleId: "s" as SaleId, userId: `u_${index}` as UserId, quantity: 1, fingerprint: "q1", deadlineMs: 1 };
    pending.published(pending.begin({ id, ...of }), 0);
  }
  const resolver = new PurchaseResolver({
    stockState,
    requester,
    pending,
    now: () => 1_000,
    log: pino({ level: "silent" }),
  });
  for (let sweeps = 0; sweeps < 4; sweeps++) await resolver.sweep();
  expect(resolved).toHaveLength(1_100);
  expect(new Set(resolved).size).toBe(1_100);
});
