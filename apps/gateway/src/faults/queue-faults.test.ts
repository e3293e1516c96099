/** Faults that the control room orders inside the queue: what they do to an answer, and what they may not do. */
import type { Purchase } from "@plateau/domain";
import { expect, test } from "vitest";
import { type Answer, adminToken, useBeds } from "../testing/gateway-bed.ts";

const startBed = useBeds();
const headers = { "idempotency-key": "k" };
const stateOf = ({ body }: Answer): string => (body as Purchase).state;

test("a lost reply turns the answer into a 202, and a look-up finds what was decided", async () => {
  const bed = await startBed({ timings: { waitMs: 50 } });
  const sale = await bed.openSale({ stock: 5, perUserLimit: 5 });
  const { token } = await bed.signIn();
  const ordered = await bed.call("PUT", "/api/ops/faults/replies", { token: adminToken, body: { loseEvery: 1 } });
  expect(ordered).toMatchObject({ status: 200, body: { active: true, order: { loseEvery: 1, delayMs: 0 } } });
  const told = await bed.buy(sale.id, token, { headers });
  expect([told.status, stateOf(told)]).toEqual([202, "queued"]);
  const ended = await bed.until(
    () => bed.call("GET", told.headers.get("location") ?? "", { token }),
    (answer) => stateOf(answer) === "won",
  );
  expect((await bed.buy(sale.id, token, { headers })).body).toEqual(ended.body);
  const usual = await bed.call("DELETE", "/api/ops/faults/replies", { token: adminToken });
  expect(usual).toMatchObject({ status: 200, body: { active: false } });
  await bed.until(
    () => bed.buy(sale.id, token, { headers: { prefer: "wait=5" } }),
    ({ status }) => status === 201,
  );
});

test("a late reply still answers", async () => {
  const bed = await startBed();
  const sale = await bed.openSale({ stock: 5 });
  const { token } = await bed.signIn();
  await bed.call("PUT", "/api/ops/faults/replies", { token: adminToken, body: { delayMs: 30 } });
  await bed.until(
    () => bed.buy(sale.id, token, { headers: { prefer: "wait=5" } }),
    ({ status }) => status === 201,
  );
});

test.each([{ loseEvery: -1 }, { loseEvery: "1" }, { unknown: 1 }])(
  "an order that does not fit is refused: %j",
  async (body) => {
    const bed = await startBed();
    expect((await bed.call("PUT", "/api/ops/faults/replies", { token: adminToken, body })).status).toBe(400);
    expect((await bed.call("PUT", "/api/ops/faults/replies", { body: {} })).status).toBe(401);
  },
);

test("a poison message ends among the dead letters and holds up nobody", async () => {
  const bed = await startBed();
  const sale = await bed.openSale({ stock: 5 });
  for (const topic of ["purchase-requests", "stock-commands"] as const) {
    const put = await bed.call("POST", "/api/ops/faults/poison", { token: adminToken, body: { topic } });
    expect(put).toMatchObject({ status: 201, body: { topic } });
  }
  const { token } = await bed.signIn();
  await bed.until(
    () => bed.buy(sale.id, token, { headers: { prefer: "wait=5" } }),
    ({ status }) => status === 201,
  );
});
