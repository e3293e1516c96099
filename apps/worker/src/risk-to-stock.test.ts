import {
  defaultKnobs,
  groups,
  type Knobs,
  type PurchaseEnded,
  type PurchaseId,
  type PurchaseResult,
  purchaseRequests,
  type RequestMessage,
  type RiskScores,
  reservations,
  results,
  type StockReply,
  stockCommands,
} from "@plateau/domain";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startRiskStage } from "./risk.ts";
import type { RiskScorer, RiskSubject } from "./risk-scorer.ts";
import { startWorker, type Worker } from "./start-worker.ts";
import { startStockStage } from "./stock.ts";
import { purchaseOf, reservationOf, saleId, turn, userOf, WorkerBed } from "./testing/worker-bed.ts";

const harmless: RiskScorer = { score: async (subjects) => new Map(subjects.map(({ id }) => [id, 0.1])) };

/** A scorer that answers when, and as, the test says. */
class HeldScorer implements RiskScorer {
  readonly calls: {
    readonly subjects: readonly RiskSubject[];
    readonly signal: AbortSignal;
    readonly answer: (scores: RiskScores) => void;
  }[] = [];

  score(subjects: readonly RiskSubject[], signal: AbortSignal): Promise<RiskScores> {
    return new Promise((answer) => this.calls.push({ subjects, signal, answer }));
  }
}

let bed: WorkerBed;
let warnings: unknown[];
let knobs: Knobs;
const log = { warn: (...told: unknown[]) => warnings.push(told) };

beforeEach(async () => {
  bed = await WorkerBed.open();
  warnings = [];
  knobs = { ...defaultKnobs };
});
afterEach(async () => {
  await bed.close();
});

async function startAll(scorer: RiskScorer = harmless, members = 1): Promise<Worker> {
  const worker = await startWorker({ queue: bed.queue, scorer, knobs: () => knobs, members, log });
  await bed.openSale();
  return worker;
}
const resultIn = (reply: StockReply): PurchaseResult => {
  if (reply.type !== "result") throw new Error(`a reply of type ${reply.type}`);
  return reply.result;
};
const endsOf = async (id: PurchaseId): Promise<readonly PurchaseEnded[]> =>
  (await bed.all(results)).map(({ value }) => value).filter(({ purchaseId }) => purchaseId === id);

describe("the way of a request through risk and stock", () => {
  it("answers the asking gateway with the result, and tells the reservation and the end once", async () => {
    await startAll();
    const result = resultIn(await bed.ask(bed.request("ann")));
    expect(result).toMatchObject({ outcome: "won", scored: true, reservation: { id: reservationOf("ann") } });
    expect(await endsOf(purchaseOf("ann"))).toMatchObject([{ outcome: "won", position: result.position }]);
    expect((await bed.all(reservations)).map(({ value }) => value.type)).toEqual(["reserved"]);
  });

  it("a refusal of risk comes back from stock as the purchase's only end", async () => {
    await startAll({ score: async (subjects) => new Map(subjects.map(({ id }) => [id, 0.97])) });
    const refused = { outcome: "rejected", reason: "risk-score", scored: true };
    expect(resultIn(await bed.ask(bed.request("ann")))).toMatchObject(refused);
    expect(await endsOf(purchaseOf("ann"))).toMatchObject([refused]);
  });

  it("duplicates, asked for by several gateways at once, all get the one result", async () => {
    await startAll();
    const request = bed.request("ann");
    const replies = await Promise.all([0, 1, 2, 0, 1].map((gateway) => bed.ask(request, gateway)));
    expect(new Set(replies.map((reply) => JSON.stringify(reply))).size).toBe(1);
    expect(await endsOf(request.purchaseId)).toHaveLength(1);
    expect(await bed.sale()).toMatchObject({ available: 9, reserved: 1 });
  });

  it("sells exactly the stock when far more people come than there are units", async () => {
    await startAll(harmless, 3);
    const names = Array.from({ length: 100 }, (_, index) => `user${index}`);
    const ends = await Promise.all(names.map(async (name) => resultIn(await bed.ask(bed.request(name))).outcome));
    expect(ends.filter((outcome) => outcome === "won")).toHaveLength(10);
    expect(ends.filter((outcome) => outcome === "sold_out")).toHaveLength(90);
    expect(await bed.sale()).toMatchObject({ available: 0, reserved: 10, sold: 0 });
  });

  it("a look-up for a request that never arrived ends it, and the original that comes later finds that end", async () => {
    await startAll();
    const { purchaseId, userId } = bed.request("ann");
    const resolved = await bed.ask({ type: "resolve", purchaseId, saleId, userId });
    expect(resultIn(resolved).outcome).toBe("expired");
    expect(await bed.ask(bed.request("ann"))).toEqual(resolved);
    expect(await endsOf(purchaseId)).toHaveLength(1);
  });

  it("an unpaid reservation expires by itself, and its unit goes to somebody else", async () => {
    await startAll();
    const first = resultIn(await bed.ask(bed.request("ann", { quantity: 2 })));
    for (const name of ["bob", "cid", "dan", "eve"]) await bed.ask(bed.request(name, { quantity: 2 }));
    expect(resultIn(await bed.ask(bed.request("fay"))).outcome).toBe("sold_out");
    bed.advance(60_000);
    await bed.eventually(async () => (await bed.sale())?.available === 10);
    expect(bed.queue.now()).toBeGreaterThanOrEqual(first.reservation?.payBeforeMs ?? Number.NaN);
    expect(resultIn(await bed.ask(bed.request("gil"))).outcome).toBe("won");
  });
});

describe("faults on the way", () => {
  it("a scorer that fails lets requests pass unscored, and the log tells once, not for every batch", async () => {
    await startAll({ score: () => Promise.reject(new Error("connection refused")) });
    for (const name of ["ann", "bob", "cid"]) {
      expect(resultIn(await bed.ask(bed.request(name)))).toMatchObject({ outcome: "won", scored: false });
    }
    expect(warnings).toHaveLength(1);
  });

  it("a scorer that is late by 150 ms is left behind and told to stop; its late answer changes nothing", async () => {
    const scorer = new HeldScorer();
    await startAll(scorer);
    const reply = bed.ask(bed.request("ann"));
    await bed.eventually(() => scorer.calls.length === 1);
    const [call] = scorer.calls;
    expect(call?.signal.aborted).toBe(false);
    bed.advance(150);
    expect(call?.signal.aborted).toBe(true);
    call?.answer(new Map([[purchaseOf("ann"), 0.99]]));
    expect(resultIn(await reply)).toMatchObject({ outcome: "won", scored: false });
  });

  it("the scorer is asked once for a batch, and not about look-ups and requests past their deadline", async () => {
    const scorer = new HeldScorer();
    const sent: RequestMessage[] = [
      bed.request("ann", { deviceId: "d1" }),
      { ...bed.request("ann"), purchaseId: purchaseOf("late"), decideByMs: bed.queue.now() - 1 },
      { type: "resolve", purchaseId: purchaseOf("lost"), saleId, userId: userOf("ann") },
      { ...bed.request("ann"), purchaseId: purchaseOf("second") },
    ];
    for (const message of sent) await bed.queue.publish(purchaseRequests, message);
    await startAll(scorer);
    await bed.eventually(() => scorer.calls.length === 1);
    expect(scorer.calls[0]?.subjects).toEqual([
      { id: purchaseOf("ann"), userId: userOf("ann"), address: "192.0.2.1", deviceId: "d1" },
      { id: purchaseOf("second"), userId: userOf("ann"), address: "192.0.2.1" },
    ]);
    scorer.calls[0]?.answer(new Map([[purchaseOf("second"), 0.95]]));
    const ends = async () => (await bed.all(results)).map(({ value }) => [value.outcome, value.scored]);
    await bed.eventually(async () => (await ends()).length === 4);
    expect(await ends()).toEqual([
      ["won", false],
      ["expired", false],
      ["expired", false],
      ["rejected", true],
    ]);
  });

  it("a request whose decision throws is dead-lettered, and its shopper still gets an answer", async () => {
    await startAll();
    const bad = bed.request("ann", { quantity: 0 });
    expect(resultIn(await bed.ask(bad))).toMatchObject({ outcome: "rejected", reason: "poison" });
    expect(resultIn(await bed.ask(bed.request("bob")))).toMatchObject({ outcome: "won" });
    expect(await bed.queue.deadLetters(groups.stock, stockCommands, 10)).toHaveLength(1);
    await bed.queue.redrive(groups.stock, stockCommands);
    await bed.ask(bed.request("cid"));
    expect(await endsOf(bad.purchaseId)).toHaveLength(1);
  });

  it("a worker killed in the middle of a batch is taken over, and each request still ends exactly once", async () => {
    const held = new HeldScorer();
    const doomed = await startAll(held);
    const names = ["ann", "bob", "cid", "dan", "eve", "fay", "gil", "hal", "ida", "jon", "kim", "leo"];
    const replies = names.map((name) => bed.ask(bed.request(name)));
    await bed.eventually(() => held.calls.length > 0);
    for (const member of doomed.members) member.kill();
    for (const call of held.calls) call.answer(new Map());
    for (let turns = 0; turns < 20; turns++) await turn();
    expect(await bed.all(results)).toEqual([]);

    await startRiskStage({ queue: bed.queue, scorer: harmless, knobs: () => knobs, log });
    await startStockStage({ queue: bed.queue });
    await bed.eventually(async () => (await bed.all(results)).length >= names.length);
    const ends = (await Promise.all(replies)).map((reply) => resultIn(reply).outcome);
    expect(ends.filter((outcome) => outcome === "won")).toHaveLength(10);
    expect(await bed.all(results)).toHaveLength(names.length);
    expect(await bed.sale()).toMatchObject({ available: 0, reserved: 10 });
  });

  it("a stopped worker leaves what waits to the next one", async () => {
    const worker = await startAll();
    await worker.stop();
    const reply = bed.ask(bed.request("ann"));
    await startWorker({ queue: bed.queue, scorer: harmless, knobs: () => knobs, log });
    expect(resultIn(await reply).outcome).toBe("won");
  });

  it("refuses to start with no members", async () => {
    const start = startWorker({ queue: bed.queue, scorer: harmless, knobs: () => knobs, members: 0, log });
    await expect(start).rejects.toThrow("members is 0");
  });
});

describe("the cost of a decision", () => {
  it("is waited for per request, by the knob and by the sale's own cost, and never for look-ups or late requests", async () => {
    let nowMs = 0;
    const waits: number[] = [];
    const paceClock = {
      nowMs: () => nowMs,
      sleep: async (ms: number) => {
        waits.push(ms);
        nowMs += ms;
      },
    };
    knobs = { ...defaultKnobs, decisionCostMs: 4 };
    for (let index = 0; index < 20; index++) {
      const part = { purchaseId: purchaseOf(`n${index}`), decisionCostMs: 6 };
      await bed.queue.publish(purchaseRequests, bed.request("ann", part));
    }
    await bed.queue.publish(purchaseRequests, bed.request("ann", { purchaseId: purchaseOf("late"), decideByMs: 0 }));
    const { userId } = bed.request("ann");
    await bed.queue.publish(purchaseRequests, { type: "resolve", purchaseId: purchaseOf("n0"), saleId, userId });
    await startRiskStage({ queue: bed.queue, scorer: harmless, knobs: () => knobs, log, paceClock });
    await bed.eventually(async () => (await bed.all(stockCommands)).length === 22);
    expect(waits.reduce((sum, ms) => sum + ms, 0)).toBe(20 * (4 + 6));
    expect(Math.max(...waits)).toBeLessThanOrEqual(25);
  });
});
