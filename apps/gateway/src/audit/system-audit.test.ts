import { EmbeddedJobOffice } from "@plateau/hosting/jobs";
import { describe, expect, it } from "vitest";
import { adminToken, type GatewayBed, useBeds } from "../testing/gateway-bed.ts";
import { SystemAudit } from "./system-audit.ts";

const startBed = useBeds();

/** The bed has no consumers and no providers, so nothing is waited for. */
async function auditOf(bed: GatewayBed, saleId?: string) {
  const sources = { queue: bed.queue, db: bed.db, sandboxUrl: undefined, jobs: new EmbeddedJobOffice(bed.queue) };
  const { verdict, invariants } = await new SystemAudit(sources, { patienceMs: 0 }).run({ saleId });
  return { verdict, byId: new Map(invariants.map((invariant) => [invariant.id, invariant])) };
}

async function buyAs(bed: GatewayBed, saleId: string, shoppers: number): Promise<void> {
  for (let index = 0; index < shoppers; index++) await bed.buy(saleId, (await bed.signIn()).token);
}

describe("the audit of a running system", () => {
  it("passes what it could look at, and says of the rest who lags and what could not be read", async () => {
    const bed = await startBed();
    const sale = await bed.openSale({ stock: 2 });
    await buyAs(bed, sale.id, 3);
    const { verdict, byId } = await auditOf(bed, sale.id);
    expect(verdict).toBe("unknown");
    for (const id of [1, 3, 4, 6, 9]) expect(byId.get(id)).toMatchObject({ verdict: "pass" });
    expect(byId.get(5)).toMatchObject({
      verdict: "unknown",
      evidence: "could not look: group order is 2 messages behind on reservations",
    });
    expect(byId.get(8)?.evidence).toContain("this gateway knows no provider's address");
  });

  it("takes what nobody has decided yet as under way, not as lost", async () => {
    const bed = await startBed({ stages: false, timings: { waitMs: 0, commandWaitMs: 50 } });
    await bed.startStages();
    const sale = await bed.openSale();
    await buyAs(bed, sale.id, 1);
    await bed.until(
      () => bed.call("GET", `/api/sales/${sale.id}`),
      ({ body }) => (body as { reserved: number }).reserved === 1,
    );
    await bed.stopStages();
    await buyAs(bed, sale.id, 1);
    const { byId } = await auditOf(bed, sale.id);
    expect(byId.get(9)).toMatchObject({
      verdict: "unknown",
      evidence: "could not look: group risk is 1 messages behind on purchase-requests",
    });
  });

  it("finds an order that nobody won, in the sale it is about and in all sales, not in another", async () => {
    const bed = await startBed();
    const [sale, other] = [await bed.openSale({ stock: 1 }), await bed.openSale({ stock: 1 })];
    await buyAs(bed, sale.id, 1);
    await buyAs(bed, other.id, 1);
    const { userId } = await bed.signIn();
    const { productId, title, id: saleId } = sale;
    const row = { id: "o_nobody", reservationId: `${saleId}.nobody`, saleId, userId, productId, title };
    const dates = { payBefore: new Date(), reservedAt: new Date() };
    await bed.db.order.create({ data: { ...row, ...dates, quantity: 1, amountCents: 4_900, version: 1 } });
    const finding = { verdict: "fail", evidence: `an order nobody won: 1 (${saleId}.nobody)` };
    expect((await auditOf(bed, saleId)).byId.get(5)).toMatchObject(finding);
    expect((await auditOf(bed)).byId.get(5)).toMatchObject(finding);
    expect((await auditOf(bed, other.id)).byId.get(5)).toMatchObject({ verdict: "unknown" });
  });

  it("reads no more than it may, and then says to audit one sale", async () => {
    const bed = await startBed();
    const [sale, other] = [await bed.openSale({ stock: 1 }), await bed.openSale({ stock: 1 })];
    await buyAs(bed, sale.id, 1);
    await buyAs(bed, other.id, 3);
    const sources = { queue: bed.queue, db: bed.db, sandboxUrl: undefined, jobs: new EmbeddedJobOffice(bed.queue) };
    const audit = new SystemAudit(sources, { patienceMs: 0, maxMessages: 6 });
    const first = async (saleId?: string) => (await audit.run({ saleId })).invariants.find(({ id }) => id === 1);
    expect(await first()).toMatchObject({ verdict: "unknown" });
    expect((await first())?.evidence).toContain("more than 6 messages in all topics: too many to hold; audit one sale");
    expect(await first(sale.id)).toMatchObject({ verdict: "pass" });
  });

  it("says that it could not look when the database is down", async () => {
    const bed = await startBed();
    const sale = await bed.openSale();
    await buyAs(bed, sale.id, 1);
    await bed.testDatabase.goDown();
    const { byId } = await auditOf(bed, sale.id);
    await bed.testDatabase.comeBack();
    expect(byId.get(1)).toMatchObject({ verdict: "unknown" });
    expect(byId.get(1)?.evidence).toMatch(/^could not look: database: /);
    expect(byId.get(3)).toMatchObject({ verdict: "pass" });
  });
});

describe("its route", () => {
  const asAdmin = { token: adminToken };
  const asNdjson = { ...asAdmin, headers: { "content-type": "application/x-ndjson" } };

  it("is closed without the admin token", async () => {
    const bed = await startBed();
    for (const method of ["GET", "POST"])
      expect(await bed.call(method, "/api/ops/audit")).toMatchObject({ status: 401 });
  });

  it("knows no sale that was never opened, and no other parameter", async () => {
    const bed = await startBed();
    expect(await bed.call("GET", "/api/ops/audit?saleId=s_none", asAdmin)).toMatchObject({ status: 404 });
    expect(await bed.call("GET", "/api/ops/audit?sale=s_none", asAdmin)).toMatchObject({ status: 400 });
  });

  it("refuses what is no history, naming the line", async () => {
    const bed = await startBed();
    const { id } = await bed.openSale();
    const answer = await bed.call("POST", `/api/ops/audit?saleId=${id}`, { ...asNdjson, body: { no: "history" } });
    expect(answer).toMatchObject({ status: 400, body: { code: "invalid-request" } });
    expect(await bed.call("POST", `/api/ops/audit?saleId=${id}`, { ...asAdmin, body: {} })).toMatchObject({
      status: 415,
    });
  });
});
