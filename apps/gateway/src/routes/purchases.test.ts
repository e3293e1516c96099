import { Purchase, Purchases, Session } from "@plateau/domain";
import { expect, test } from "vitest";
import { useBeds } from "../testing/gateway-bed.ts";

const startBed = useBeds();
const codeOf = (body: unknown): unknown => (body as { code?: unknown }).code;

test("a shopper signs in, buys, and finds the purchase by id and in the sale", async () => {
  const bed = await startBed();
  const sale = await bed.openSale({ stock: 3 });
  const signedIn = await bed.call("POST", "/api/session", { body: { name: "Ada" } });
  const { token, userId } = Session.parse(signedIn.body);

  const bought = await bed.buy(sale.id, token, { headers: { "idempotency-key": "one" } });
  expect(bought.status).toBe(201);
  const purchase = Purchase.parse(bought.body);
  expect(purchase).toMatchObject({ saleId: sale.id, userId, quantity: 1, state: "won" });
  expect(bought.headers.get("location")).toBe(`/api/purchases/${purchase.id}`);

  expect((await bed.call("GET", `/api/purchases/${purchase.id}`, { token })).body).toEqual(purchase);
  const own = Purchases.parse((await bed.call("GET", `/api/sales/${sale.id}/purchases`, { token })).body);
  expect(own.purchases).toEqual([purchase]);
});

test("the same key gets the same answer from another gateway, other words 422", async () => {
  const bed = await startBed();
  const sale = await bed.openSale({ stock: 3, perUserLimit: 3 });
  const { token } = await bed.signIn();
  const headers = { "idempotency-key": "k" };
  const first = await bed.buy(sale.id, token, { headers });
  await bed.startGateway();
  const again = await bed.buy(sale.id, token, { headers });
  expect(again.status).toBe(201);
  expect(again.body).toEqual(first.body);
  const other = await bed.buy(sale.id, token, { headers, body: { quantity: 2 } });
  expect(other.status).toBe(422);
  expect(codeOf(other.body)).toBe("key-reused");
  await expect.poll(() => bed.saleShown(sale.id)).toMatchObject({ available: 2, reserved: 1 });
});

test("a winner who retries is told so although the sale is sold out and over", async () => {
  const bed = await startBed();
  const sale = await bed.openSale({ stock: 1 });
  const { token } = await bed.signIn();
  const headers = { "idempotency-key": "k" };
  const won = await bed.buy(sale.id, token, { headers });
  await bed.knobs.patch({ backlogMax: 1, tokenRatePerSecond: 0.001, tokenBurst: 1 });
  expect((await bed.buy(sale.id, token, { headers })).body).toEqual(won.body);
  const late = await bed.buy(sale.id, (await bed.signIn()).token);
  expect(late.status).toBe(409);
  expect(late.body).toMatchObject({ code: "sold-out", asOf: { position: expect.any(Number), at: expect.any(String) } });
});

test("nobody decides in time: 202 with a Location; retries join it, other words are 422, and the decision comes", async () => {
  const bed = await startBed({ stages: false, timings: { waitMs: 20, commandWaitMs: 20 } });
  const sale = await bed.openSale({ stock: 3 });
  const { token, userId } = await bed.signIn();
  await bed.startStages();
  await bed.until(
    () => bed.call("GET", `/api/sales/${sale.id}`),
    ({ body }) => (body as { state: string }).state === "open",
  );
  await bed.stopStages();
  const headers = { "idempotency-key": "k" };
  const held = await bed.buy(sale.id, token, { headers });
  expect(held.status).toBe(202);
  const queued = Purchase.parse(held.body);
  expect(queued).toMatchObject({ state: "queued", position: 0, etaMs: null, userId });

  const joined = await bed.buy(sale.id, token, { headers: { ...headers, prefer: "respond-async" } });
  expect(joined.status).toBe(202);
  expect(joined.headers.get("location")).toBe(held.headers.get("location"));
  expect(joined.headers.get("preference-applied")).toBe("respond-async");
  expect((await bed.buy(sale.id, token, { headers, body: { quantity: 2 } })).status).toBe(422);
  const path = held.headers.get("location") ?? "";
  expect((await bed.call("GET", path, { token })).body).toMatchObject({ state: "queued" });

  await bed.startGateway(); // It never sent this purchase, and still knows of it.
  expect((await bed.call("GET", path, { token })).body).toMatchObject({ state: "queued", id: queued.id });
  expect((await bed.call("GET", `/api/sales/${sale.id}/purchases`, { token })).body).toMatchObject({
    purchases: [{ id: queued.id, state: "queued" }],
  });

  await bed.startStages();
  const decided = await bed.until(
    () => bed.call("GET", path, { token }),
    ({ body }) => (body as Purchase).state === "won",
  );
  expect((await bed.buy(sale.id, token, { headers })).body).toEqual(decided.body);
});

test("another user's purchase is answered exactly as none", async () => {
  const bed = await startBed();
  const sale = await bed.openSale();
  const [owner, stranger] = [await bed.signIn(), await bed.signIn()];
  const { body } = await bed.buy(sale.id, owner.token);
  const { id } = body as Purchase;
  const others = await bed.call("GET", `/api/purchases/${id}`, { token: stranger.token });
  const none = await bed.call("GET", `/api/purchases/${sale.id}.${"A".repeat(22)}`, { token: stranger.token });
  expect(others.status).toBe(404);
  expect(others.body).toEqual(none.body);
  expect((await bed.call("GET", `/api/purchases/${id}/events`, { token: stranger.token })).body).toEqual(none.body);
});

test("each refusal has its code and says when to come again", async () => {
  const bed = await startBed();
  const soon = new Date(Date.now() + 3_600_000).toISOString();
  const upcoming = await bed.openSale({ startsAt: soon });
  const open = await bed.openSale({ perUserLimit: 1 });
  const { token } = await bed.signIn();
  expect((await bed.buy(upcoming.id, token)).body).toMatchObject({ status: 409, code: "sale-not-open" });
  expect((await bed.buy("s_nobody", token)).body).toMatchObject({ status: 404, code: "not-found" });
  expect((await bed.buy(open.id, "forged")).body).toMatchObject({ status: 401, code: "unauthenticated" });
  expect((await bed.buy(open.id, token)).status).toBe(201);
  expect((await bed.buy(open.id, token)).body).toMatchObject({ status: 409, code: "limit-reached" });

  await bed.knobs.patch({ limitLoopback: true, addressRatePerSecond: 1 });
  await bed.buy(open.id, token);
  const byAddress = await bed.buy(open.id, token);
  expect(byAddress.body).toMatchObject({ status: 429, code: "throttled", limit: "address" });
  expect(Number(byAddress.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
  await bed.knobs.patch({ limitLoopback: false, userRatePerSecond: 1 });
  await bed.buy(open.id, token);
  expect((await bed.buy(open.id, token)).body).toMatchObject({ code: "throttled", limit: "user" });
  await bed.knobs.patch({ userRatePerSecond: 1_000, tokenRatePerSecond: 0.001, tokenBurst: 1 });
  await bed.buy(open.id, token);
  expect((await bed.buy(open.id, token)).body).toMatchObject({ code: "throttled", limit: "admission" });
});
