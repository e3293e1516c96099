import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import {
  admissions,
  Knobs,
  newSaleId,
  OpsShoppers,
  Products,
  Sale,
  SaleStatistics,
  Sales,
  ServerTime,
  stockCommands,
} from "@plateau/domain";
import { afterEach, expect, test } from "vitest";
import { adminToken, useBeds } from "../testing/gateway-bed.ts";

const startBed = useBeds();
const admin = { token: adminToken };
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function serve(answer: Parameters<typeof createServer>[1]): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("the catalogue shows the clock, products, and sales with live stock", async () => {
  const bed = await startBed();
  const time = ServerTime.parse((await bed.call("GET", "/api/time")).body);
  expect(new Date(time.now).getTime()).toBe(time.epochMs);
  const { products } = Products.parse((await bed.call("GET", "/api/products")).body);
  expect(products.map(({ id }) => id)).toEqual(["kettle", "lamp"]);
  const open = await bed.openSale({ productId: "lamp", stock: 2, title: "Lamps", perUserLimit: 2 });
  expect(open).toMatchObject({
    state: "open",
    productId: "lamp",
    title: "Lamps",
    available: 2,
    regularPriceCents: 4_901,
  });
  const later = await bed.openSale({ startsAt: new Date(Date.now() + 60_000).toISOString() });
  await bed.buy(open.id, (await bed.signIn()).token, { body: { quantity: 2 } });
  const { sales } = Sales.parse(
    (
      await bed.until(
        () => bed.call("GET", "/api/sales"),
        ({ body }) => Sales.parse(body).sales.find(({ id }) => id === open.id)?.state === "sold_out",
      )
    ).body,
  );
  expect(sales.map(({ id, state }) => [id, state])).toEqual([
    [open.id, "sold_out"],
    [later.id, "upcoming"],
  ]);
  const statistics = (await bed.call("GET", `/api/sales/${open.id}/statistics`)).body;
  expect(SaleStatistics.parse(statistics).saleId).toBe(open.id);
});

test("shoppers for a load test can sign in with their tokens", async () => {
  const bed = await startBed();
  const made = await bed.call("POST", "/api/ops/shoppers", { ...admin, body: { count: 2_500 } });
  expect(made.status).toBe(201);
  const { shoppers } = OpsShoppers.parse(made.body);
  expect(new Set(shoppers.map(({ userId }) => userId)).size).toBe(2_500);
  expect(await bed.db.user.count({ where: { simulated: true } })).toBe(2_500);
  const sale = await bed.openSale();
  expect((await bed.buy(sale.id, shoppers[2_499]?.token ?? "")).status).toBe(201);
});

test("a reset closes the old sale and opens the same under a new id", async () => {
  const bed = await startBed();
  const old = await bed.openSale({ stock: 4, title: "Again" });
  const { token } = await bed.signIn();
  expect((await bed.buy(old.id, token)).status).toBe(201);
  const reset = await bed.call("POST", `/api/ops/sales/${old.id}/reset`, admin);
  expect(reset.status).toBe(201);
  const fresh = Sale.parse(reset.body);
  expect(fresh).toMatchObject({ title: "Again", stock: 4, available: 4, state: "open" });
  expect(fresh.id).not.toBe(old.id);
  await expect.poll(() => bed.saleShown(old.id)).toMatchObject({ state: "ended", reserved: 1 });
  const refused = await bed.until(
    () => bed.buy(old.id, token),
    ({ status }) => status === 409,
  );
  expect(refused.body).toMatchObject({ code: "sale-not-open" });
  expect((await bed.buy(fresh.id, token)).status).toBe(201);
});

test("a sale whose row was stored but whose opening was not is opened by the next start", async () => {
  const bed = await startBed();
  const now = Date.now();
  const terms = {
    productId: "kettle",
    title: "Half made",
    priceCents: 100,
    stock: 3,
    perUserLimit: 1,
    startsAt: new Date(now - 1_000),
    endsAt: new Date(now + 60_000),
    paymentTimeoutMs: 60_000,
  };
  const row = await bed.db.sale.create({ data: { id: newSaleId(), ...terms } });
  const closed = await bed.db.sale.create({ data: { id: newSaleId(), ...terms, closedAt: new Date(now) } });
  const { token } = await bed.signIn();
  expect((await bed.call("GET", `/api/sales/${row.id}`)).body).toMatchObject({ state: "upcoming" });
  await bed.startGateway();
  await bed.until(
    () => bed.buy(row.id, token),
    ({ status }) => status === 201,
  );
  expect((await bed.buy(closed.id, token)).status).toBe(404);
});

test("settings change at once, and a patch that does not fit changes nothing", async () => {
  const bed = await startBed();
  const before = Knobs.parse((await bed.call("GET", "/api/ops/knobs", admin)).body);
  const wrong = await bed.call("PATCH", "/api/ops/knobs", { ...admin, body: { backlogMax: "1" } });
  expect(wrong.status).toBe(400);
  const patched = await bed.call("PATCH", "/api/ops/knobs", { ...admin, body: { decisionCostMs: 3 } });
  expect(patched.body).toEqual({ ...before, decisionCostMs: 3 });
  expect(bed.knobs.get().decisionCostMs).toBe(3);
});

test("faults are ordered from the sandbox; without one there are none", async () => {
  const orders: string[] = [];
  const sandboxUrl = await serve((request, response) => {
    let text = "";
    request.on("data", (chunk) => {
      text += chunk;
    });
    request.on("end", () => {
      orders.push(`${request.method} ${request.url} ${text}`);
      response.setHeader("content-type", "application/json").end('{"latencyMs":5}');
    });
  });
  const bed = await startBed({ sandboxUrl });
  const ordered = await bed.call("PUT", "/api/ops/faults/sms", { ...admin, body: { latencyMs: 5 } });
  expect(ordered.body).toMatchObject({ id: "sms", active: true, order: { latencyMs: 5 } });
  await bed.call("DELETE", "/api/ops/faults/sms", admin);
  await bed.call("PATCH", "/api/ops/knobs", { ...admin, body: { riskLatencyMs: 40 } });
  // What the sandbox forgot is told again, so an order may come twice.
  const told = new Set(orders.filter((order) => order.startsWith("PUT")));
  expect([...told]).toEqual([
    'PUT /faults/sms {"latencyMs":5}',
    "PUT /faults/sms {}",
    'PUT /faults/risk {"latencyMs":40}',
  ]);
  expect((await bed.call("PUT", "/api/ops/faults/moon", { ...admin, body: {} })).status).toBe(404);
  const alone = await startBed();
  expect((await alone.call("PUT", "/api/ops/faults/sms", { ...admin, body: {} })).status).toBe(404);
});

test("a crowd sale is started once, however many ask", async () => {
  const bed = await startBed({ replay: { decisionCostMs: 5 } });
  await bed.knobs.patch({ crowdShoppers: 40 });
  const sale = await bed.openSale({ stock: 5 });
  const { token } = await bed.signIn();
  const ask = () => bed.call("POST", `/api/sales/${sale.id}/replay`, { token });
  const answers = await Promise.all([ask(), ask(), ask()]);
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 201]);
  expect(new Set(answers.map(({ body }) => (body as Sale).id)).size).toBe(1);
  expect(Sale.parse(answers[0]?.body)).toMatchObject({ crowd: 40, stock: 5, state: "upcoming", house: false });
  expect((await bed.call("POST", `/api/sales/${sale.id}/replay`)).status).toBe(401);
});

test("what a gateway saw is published by the second, refusals and hints included", async () => {
  const bed = await startBed();
  const sale = await bed.openSale({ stock: 1 });
  for (let times = 0; times < 3; times++) await bed.buy(sale.id, (await bed.signIn()).token);
  await bed.knobs.patch({ backlogMax: 1, userRatePerSecond: 1 });
  const { token } = await bed.signIn();
  for (let times = 0; times < 3; times++) await bed.buy(sale.id, token);
  await bed.gateway.stop();
  const windows = (await bed.queue.browse(admissions, 0, 0, 1_000)).map(({ value }) => value);
  const sum = (pick: (window: (typeof windows)[number]) => number): number =>
    windows.reduce((total, window) => total + pick(window), 0);
  const refused = sum(({ refused: counts }) => Object.values(counts).reduce((a, b) => a + b, 0));
  const hinted = sum(({ hints }) => hints.reduce((total, { count }) => total + count, 0));
  expect(windows.every(({ saleId, windowStartMs }) => saleId === sale.id && windowStartMs % 1_000 === 0)).toBe(true);
  expect(sum(({ arrivals }) => arrivals)).toBe(6);
  expect(sum(({ admitted }) => admitted) + refused).toBe(6);
  expect(hinted).toBe(sum(({ refused: counts }) => counts["sold-out"] ?? 0));
});

test("the sale goes on while the database is down; what needs it says so", async () => {
  const bed = await startBed();
  const sale = await bed.openSale();
  const { token } = await bed.signIn();
  const catalogue = await bed.call("GET", "/api/sales");
  await bed.testDatabase.goDown();
  expect((await bed.buy(sale.id, token)).status).toBe(201);
  expect((await bed.call("GET", `/api/sales/${sale.id}/purchases`, { token })).body).toMatchObject({
    purchases: [{ state: "won" }],
  });
  expect((await bed.call("GET", "/api/sales")).status).toBe(catalogue.status);
  expect((await bed.call("POST", "/api/session")).body).toMatchObject({ status: 503, code: "unavailable" });
  expect((await bed.call("GET", "/readyz")).body).toMatchObject({ status: "degraded", checks: { database: "down" } });
  await bed.testDatabase.comeBack();
  await bed.until(
    () => bed.call("GET", "/readyz"),
    ({ body }) => (body as { status: string }).status === "ready",
  );
});

test("probes, metrics and the API's description are there", async () => {
  const bed = await startBed();
  expect((await bed.call("GET", "/healthz")).body).toEqual({ status: "alive" });
  expect((await bed.call("GET", "/readyz")).body).toMatchObject({ status: "ready", checks: { engine: "progressing" } });
  expect((await bed.call("GET", "/metrics")).body).toContain("plateau_purchase_calls_total");
  const { openapi, paths } = (await bed.call("GET", "/api/docs/json")).body as {
    openapi: string;
    paths: Record<string, unknown>;
  };
  expect(openapi).toBe("3.1.0");
  expect(Object.keys(paths)).toEqual(
    expect.arrayContaining(["/api/session", "/api/sales/{saleId}/purchases", "/api/purchases/{id}", "/api/ops/sales"]),
  );
  expect((await bed.call("GET", "/api/docs")).status).toBe(200);
});

test("every other path is the storefront's, and pages that are down are a 503", async () => {
  const storefrontUrl = await serve((request, response) => {
    response.setHeader("content-type", "text/html").end(`${request.url} for ${request.headers["x-forwarded-host"]}`);
  });
  const bed = await startBed({ storefrontUrl });
  const { host } = new URL(bed.url);
  expect((await bed.call("GET", "/sales/1?a=b")).body).toBe(`/sales/1?a=b for ${host}`);
  expect((await bed.call("GET", "/")).body).toBe(`/ for ${host}`);
  expect((await bed.call("GET", "/api/none")).status).toBe(404);
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  expect((await bed.call("GET", "/")).body).toMatchObject({ status: 503, code: "unavailable" });
});

test("an open-sale that no stage has answered yet still makes the sale", async () => {
  const bed = await startBed({ stages: false, timings: { commandWaitMs: 20 } });
  const sale = await bed.openSale();
  expect(sale.state).toBe("upcoming");
  const { end } = (await bed.queue.groupStatistics("stock", stockCommands as never)).reduce((a, b) =>
    a.end > b.end ? a : b,
  );
  expect(end).toBe(1);
});

test.each([
  { startsAt: "0000-01-01T00:00:00Z" },
  { endsAt: "9999-12-31T23:59:59-23:59" },
  { startsAt: "2030-01-02T00:00:00Z", endsAt: "2030-01-01T00:00:00Z" },
])("a sale with times that no shop has is refused: %o", async (times) => {
  const bed = await startBed();
  const refused = await bed.call("POST", "/api/ops/sales", { ...admin, body: { stock: 1, ...times } });
  expect(refused).toMatchObject({ status: 400, body: { code: "invalid-request" } });
});

test("dead letters are counted, listed with their reason, and redriven to their group", async () => {
  const bed = await startBed();
  const odd = { topic: "stock-commands", partition: 0, key: "s", value: Buffer.from("no json") };
  await bed.queue.engine.commit({ append: [odd] });
  const list = () => bed.call("GET", "/api/ops/dead-letters", admin);
  const { body } = await bed.until(list, (answer) => JSON.stringify(answer.body).includes("cannot be decoded"));
  expect(body).toMatchObject({
    counts: [{ group: "stock", topic: "stock-commands", count: 1 }],
    deadLetters: [{ group: "stock", topic: "stock-commands", partition: 0, offset: 0, key: "s", value: null }],
  });
  const { body: metrics } = await bed.call("GET", "/metrics");
  expect(metrics).toContain('plateau_dead_letters{group="stock",topic="stock-commands"} 1');
  expect((await bed.call("GET", "/api/ops/statistics", admin)).body).toMatchObject({
    deadLetters: expect.arrayContaining([{ group: "stock", topic: "stock-commands", count: 1 }]),
  });
  const redrive = (group: string) => bed.call("POST", `/api/ops/dead-letters/${group}/stock-commands/redrive`, admin);
  expect((await redrive("stock")).body).toEqual({ redriven: 1 });
  expect((await redrive("sms")).status).toBe(404);
  expect((await bed.call("GET", "/api/ops/dead-letters")).status).toBe(401);
});
