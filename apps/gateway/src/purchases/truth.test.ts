/** The truth rules under faults: nothing that was told is contradicted later. */
import { Purchase, purchaseRequests, type RequestMessage, reservationIdOf, stockCommands } from "@plateau/domain";
import { QueueError } from "queue-core";
import { expect, test } from "vitest";
import { type Misbehaviour, withFaultyRequester } from "../testing/faulty-queue.ts";
import { type Answer, type GatewayBed, useBeds } from "../testing/gateway-bed.ts";

const startBed = useBeds();
const headers = { "idempotency-key": "k" };
const never = <T>(): Promise<T> => new Promise(() => undefined);
const isPurchase = (value: unknown): boolean => (value as RequestMessage).type === "purchase";
const stateOf = ({ body }: Answer): string => (body as Purchase).state;

test("a publish of unknown outcome that was stored: 202, then the decision", async () => {
  const order: Misbehaviour = {};
  const bed = await startBed({ wrapQueue: withFaultyRequester(order), timings: { waitMs: 20 } });
  const sale = await bed.openSale();
  const { token } = await bed.signIn();
  order.send = (_real, topic, value) => {
    if (!isPurchase(value)) return undefined;
    const unknown = bed.queue.publish(topic, value).then(() => {
      throw new QueueError("STORAGE_FAILED");
    });
    unknown.catch(() => undefined);
    return { published: unknown, reply: unknown };
  };
  const told = await bed.buy(sale.id, token, { headers });
  expect(told.status).toBe(202);
  const ended = await bed.until(
    () => bed.call("GET", told.headers.get("location") ?? "", { token }),
    (answer) => stateOf(answer) === "won",
  );
  expect((await bed.buy(sale.id, token, { headers })).body).toEqual(ended.body);
});

test("a publish of unknown outcome that was not stored: 202, then expired by a resolve, and nothing is reserved", async () => {
  const order: Misbehaviour = {};
  const bed = await startBed({ wrapQueue: withFaultyRequester(order), timings: { waitMs: 20, decideWithinMs: 100 } });
  const sale = await bed.openSale({ stock: 5 });
  const { token } = await bed.signIn();
  order.send = (_real, _topic, value) => {
    if (!isPurchase(value)) return undefined;
    const unknown = Promise.reject(new QueueError("STORAGE_FAILED"));
    unknown.catch(() => undefined);
    return { published: unknown, reply: unknown };
  };
  const told = await bed.buy(sale.id, token, { headers });
  expect(told.status).toBe(202);
  const ended = await bed.until(
    () => bed.call("GET", told.headers.get("location") ?? "", { token }),
    (answer) => stateOf(answer) !== "queued",
  );
  expect(stateOf(ended)).toBe("expired");
  delete order.send;
  expect((await bed.buy(sale.id, token, { headers })).body).toMatchObject({ status: 503, code: "expired" });
  await expect.poll(() => bed.saleShown(sale.id)).toMatchObject({ available: 5 });
  // A new try needs a new key; it may itself come late on a busy machine.
  await bed.until(
    () => bed.buy(sale.id, token, { headers: { prefer: "wait=5" } }),
    ({ status }) => status === 201,
  );
});

test("a lost reply: 202, and the look-up tells the result", async () => {
  const order: Misbehaviour = {};
  const bed = await startBed({ wrapQueue: withFaultyRequester(order), timings: { waitMs: 20 } });
  const sale = await bed.openSale();
  const { token } = await bed.signIn();
  order.send = (_real, topic, value) =>
    isPurchase(value) ? { published: bed.queue.publish(topic, value), reply: never() } : undefined;
  const told = await bed.buy(sale.id, token, { headers });
  expect(told.status).toBe(202);
  await bed.until(
    () => bed.call("GET", told.headers.get("location") ?? "", { token }),
    (answer) => stateOf(answer) === "won",
  );
  expect(bed.gateway.pendingPurchases()).toBe(0);
});

test("a refused publish binds nothing: the same key may try again, with another body too", async () => {
  const order: Misbehaviour = {};
  const bed = await startBed({ wrapQueue: withFaultyRequester(order) });
  const sale = await bed.openSale({ perUserLimit: 2 });
  const { token } = await bed.signIn();
  order.send = (_real, _topic, value) => {
    if (!isPurchase(value)) return undefined;
    const refused = Promise.reject(new QueueError("OVERLOADED", undefined, { retryAfterMs: 3_000 }));
    refused.catch(() => undefined);
    return { published: refused, reply: refused };
  };
  const shed = await bed.buy(sale.id, token, { headers });
  expect(shed.body).toMatchObject({ status: 503, code: "overloaded" });
  expect(shed.headers.get("retry-after")).toBe("3");
  delete order.send;
  expect((await bed.buy(sale.id, token, { headers, body: { quantity: 2 } })).status).toBe(201);
});

test("one key sent many times at once is one purchase with one answer", async () => {
  const bed = await startBed();
  const sale = await bed.openSale({ stock: 50, perUserLimit: 50 });
  const { token } = await bed.signIn();
  const answers = await Promise.all(Array.from({ length: 20 }, () => bed.buy(sale.id, token, { headers })));
  expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
  expect(answers[0]?.status).toBe(201);
  await expect.poll(() => bed.saleShown(sale.id)).toMatchObject({ reserved: 1 });
  expect(await messagesIn(bed)).toBe(1);
});

test("another body under an ended key is 422 for everyone who sends it at once", async () => {
  const bed = await startBed();
  const sale = await bed.openSale();
  const { token } = await bed.signIn();
  expect((await bed.buy(sale.id, token, { headers })).status).toBe(201);
  const others = Array.from({ length: 5 }, () => bed.buy(sale.id, token, { headers, body: { quantity: 2 } }));
  expect((await Promise.all(others)).map(({ status }) => status)).toEqual([422, 422, 422, 422, 422]);
});

test("the hint tells sold out without a message, names its commit, and is gone when stock returns", async () => {
  const bed = await startBed();
  const sale = await bed.openSale({ stock: 1 });
  const [winner, other] = [await bed.signIn(), await bed.signIn()];
  const won = Purchase.parse((await bed.buy(sale.id, winner.token)).body);
  // The first late one may still be decided by the stage; hints come once the stock was read again.
  const hinted = await bed.until(
    async () => {
      const before = await messagesIn(bed);
      const answer = await bed.buy(sale.id, other.token);
      return (await messagesIn(bed)) === before ? answer : { ...answer, status: 0 };
    },
    ({ status }) => status === 409,
  );
  const stock = await bed.queue.state("stock", stockCommands).get(sale.id, `sale:${sale.id}`);
  const { position, atMs } = (stock as { asOf: { position: number; atMs: number } }).asOf;
  expect(hinted.body).toMatchObject({ code: "sold-out", asOf: { position, at: new Date(atMs).toISOString() } });

  await bed.queue.publish(stockCommands, {
    type: "cancel",
    saleId: won.saleId as never,
    reservationId: reservationIdOf(won.id as never),
    userId: winner.userId as never,
  });
  const again = await bed.until(
    () => bed.buy(sale.id, other.token),
    ({ status }) => status !== 409,
  );
  expect(again.status).toBe(201);
});

test("a position never rises, and reaches 0 for the last one undecided", async () => {
  const bed = await startBed({ timings: { waitMs: 0 } });
  const sale = await bed.openSale({ stock: 100 });
  const shoppers = await Promise.all(Array.from({ length: 12 }, () => bed.signIn()));
  await bed.buy(sale.id, shoppers[0]?.token ?? "", { headers: { prefer: "wait=5" } });
  await bed.stopStages();
  const told: number[] = [];
  for (const { token } of shoppers.slice(1)) {
    const { position } = Purchase.parse((await bed.buy(sale.id, token)).body);
    told.push(position ?? -1);
  }
  // With nobody deciding, each stands behind all that came before: an upper bound, exact here.
  expect(told).toEqual(told.map((_, index) => index));
  for (const [index, { token }] of shoppers.slice(1).entries()) {
    const { body } = await bed.call("GET", `/api/sales/${sale.id}/purchases`, { token });
    expect((body as { purchases: Purchase[] }).purchases[0]?.position).toBeLessThanOrEqual(told[index] ?? 0);
  }
});

test("what is pending when a gateway stops is answered 202 and goes on without it", async () => {
  const bed = await startBed({ timings: { waitMs: 20_000 } });
  const sale = await bed.openSale();
  const { token } = await bed.signIn();
  await bed.buy(sale.id, (await bed.signIn()).token);
  await bed.stopStages();
  const held = bed.buy(sale.id, token, { headers });
  await bed.until(
    async () => ({ status: await messagesIn(bed), headers: new Headers(), body: null }),
    ({ status }) => status === 2,
  );
  const stopping = bed.gateway.stop();
  const told = await held;
  expect(told.status).toBe(202);
  await stopping;
  await bed.startGateway();
  await bed.startStages();
  await bed.until(
    () => bed.call("GET", told.headers.get("location") ?? "", { token }),
    (answer) => stateOf(answer) === "won",
  );
});

/** How many messages `purchase-requests` ever got. */
async function messagesIn(bed: GatewayBed): Promise<number> {
  const partitions = await bed.queue.groupStatistics("risk", purchaseRequests as never);
  return partitions.reduce((sum, { end }) => sum + end, 0);
}
