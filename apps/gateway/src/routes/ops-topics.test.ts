import { TopicSummaries, TopicView } from "@plateau/domain";
import { expect, test } from "vitest";
import { adminToken, type GatewayBed, useBeds } from "../testing/gateway-bed.ts";

const startBed = useBeds();
const admin = { token: adminToken };

const look = async (bed: GatewayBed, path: string): Promise<TopicView> =>
  TopicView.parse((await bed.call("GET", `/api/ops/topics/${path}`, admin)).body);

test("a topic shows its newest messages, and each group's offsets partition by partition", async () => {
  const bed = await startBed({ timings: { waitMs: 0 } });
  const sale = await bed.openSale();
  await bed.stopStages();
  const { token, userId } = await bed.signIn();
  for (let tries = 0; tries < 3; tries++) await bed.buy(sale.id, token);
  const view = await look(bed, "purchase-requests?limit=2");
  expect(view.latest).toHaveLength(2);
  expect(view.latest[0]?.offset).toBeGreaterThan(view.latest[1]?.offset ?? 0);
  expect(view.latest[0]).toMatchObject({ key: userId, unreadable: null, value: { userId, saleId: sale.id } });
  const [risk] = view.groups;
  expect(risk).toMatchObject({ group: "risk", lagMessages: 3, deadLetters: 0 });
  const behind = risk?.partitions.find(({ lagMessages }) => lagMessages === 3);
  expect(behind?.oldestAgeMs).not.toBeNull();
  const { topics } = TopicSummaries.parse((await bed.call("GET", "/api/ops/topics", admin)).body);
  expect(topics.find(({ topic }) => topic === "purchase-requests")).toMatchObject({ partitions: 8, messages: 3 });
});

test("what a group gave up on shows with its errors, and is gone once it was sent again", async () => {
  const bed = await startBed();
  await bed.call("POST", "/api/ops/faults/poison", { ...admin, body: { topic: "stock-commands" } });
  await bed.until(
    () => bed.call("GET", "/api/ops/topics/stock-commands", admin),
    ({ body }) => TopicView.parse(body).deadLetters.length === 1,
  );
  const { deadLetters, groups, latest } = await look(bed, "stock-commands");
  expect(deadLetters[0]).toMatchObject({ group: "stock", value: null, unreadable: "not-decodable", valueBytes: 2 });
  expect(deadLetters[0]?.errors[0]?.error).toContain("decoded");
  expect(groups[0]?.deadLetters).toBe(1);
  for (const { owner, epoch } of groups[0]?.partitions ?? []) expect([typeof owner, epoch]).toEqual(["string", 1]);
  expect(latest[0]?.unreadable).toBe("not-decodable");
  const redriven = await bed.call("POST", "/api/ops/dead-letters/stock/stock-commands/redrive", admin);
  expect(redriven.body).toEqual({ redriven: 1 });
});

test("secrets and large values are left out", async () => {
  const bed = await startBed({ stages: false });
  const put = (value: object) =>
    bed.queue.engine.commit({
      append: [{ topic: "results", partition: 0, key: "k", value: Buffer.from(JSON.stringify(value)) }],
    });
  await put({ saleId: "s_1", nested: [{ accessToken: "abc", quantity: 1 }] });
  await put({ text: "x".repeat(5_000) });
  const { latest } = await look(bed, "results");
  expect(latest.map(({ value, unreadable }) => ({ value, unreadable }))).toEqual([
    { value: null, unreadable: "too-large" },
    { value: { saleId: "s_1", nested: [{ accessToken: "(hidden)", quantity: 1 }] }, unreadable: null },
  ]);
});

test.each(["nothing", "replies", "purchase-requests?limit=101", "purchase-requests?more=1"])(
  "%s cannot be looked into",
  async (path) => {
    const bed = await startBed({ stages: false });
    const { status } = await bed.call("GET", `/api/ops/topics/${path}`, admin);
    expect(status).toBe(path.includes("?") ? 400 : 404);
    expect((await bed.call("GET", `/api/ops/topics/${path}`)).status).toBe(401);
  },
);
