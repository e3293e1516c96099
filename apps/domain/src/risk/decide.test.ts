import { describe, expect, it } from "vitest";
import type { PurchaseId, SaleId, UserId } from "../ids.ts";
import type { PurchaseRequest, RequestMessage, RiskVerdict } from "../messages.ts";
import { type Committed, StageRehearsal } from "../testing/stage-rehearsal.ts";
import { decideRisk, poisonRisk, type RiskScores, riskEntriesOf } from "./decide.ts";

const policy = { velocityPerMinute: 5, accountsPerDevice: 3 };
const minuteMs = 60_000;
const nowMs = 100 * minuteMs;
const replyTo = { topic: "replies", partition: 7, correlationId: "c1" };

function newStage(scores?: RiskScores) {
  return new StageRehearsal<RequestMessage>({
    keys: riskEntriesOf,
    decide: (message, state, now) => decideRisk(message, state, { facts: scores, nowMs: now }, policy),
  });
}
const idOf = (name: string | number): PurchaseId => `s_1.${name}` as PurchaseId;
const request = (name: string | number, part: Partial<PurchaseRequest> = {}): PurchaseRequest => ({
  type: "purchase",
  purchaseId: idOf(name),
  saleId: "s_1" as SaleId,
  userId: "u_ann" as UserId,
  quantity: 1,
  fingerprint: "q1",
  address: "192.0.2.1",
  requestedAtMs: nowMs,
  decideByMs: nowMs + 10 * minuteMs,
  ...part,
});
const verdictIn = ({ emitted }: Committed): RiskVerdict => {
  const [only, ...more] = emitted;
  expect(more).toEqual([]);
  if (only === undefined) throw new Error("nothing was handed on");
  return (only.value as { risk: RiskVerdict }).risk;
};
const reasonIn = (committed: Committed): string | undefined => {
  const verdict = verdictIn(committed);
  return verdict.verdict === "refuse" ? verdict.reason : undefined;
};

describe("risk control", () => {
  it("hands a passed request on to stock with the asker's address, without what stock need not know", () => {
    const stage = newStage(new Map([[idOf("a"), 0.2]]));
    const { emitted, reply } = stage.deliver(request("a", { deviceId: "d1", accountsOnDevice: 3 }), { nowMs, replyTo });
    const { address: _, ...kept } = request("a");
    expect(emitted).toEqual([
      {
        topic: "stock-commands",
        value: { ...kept, risk: { verdict: "pass", scored: true, judgedAtMs: nowMs } },
        replyTo,
      },
    ]);
    expect(reply).toBeUndefined();
  });

  it("hands a look-up on as it is, uncounted", () => {
    const resolve: RequestMessage = {
      type: "resolve",
      purchaseId: idOf("a"),
      saleId: "s_1" as SaleId,
      userId: "u_ann" as UserId,
    };
    const { emitted, written } = newStage().deliver(resolve, { nowMs, replyTo });
    expect(emitted).toEqual([{ topic: "stock-commands", value: resolve, replyTo }]);
    expect(written).toEqual([]);
  });

  it.each([
    ["a score of 0.9 and above", 0.9, "risk-score"],
    ["a score below 0.9", 0.89, undefined],
  ])("%s decides", (_, score, reason) => {
    const committed = newStage(new Map([[idOf("a"), score]])).deliver(request("a"), { nowMs });
    expect(reasonIn(committed)).toBe(reason);
  });

  it.each([
    ["nothing was gathered in time", undefined],
    ["the scorer left this request out", new Map([[idOf("b"), 0.99]])],
  ])("decides without the outside score where %s, and says so", (_, scores) => {
    expect(verdictIn(newStage(scores).deliver(request("a"), { nowMs }))).toMatchObject({
      verdict: "pass",
      scored: false,
    });
  });

  it("refuses more accounts on one device than may share it", () => {
    const stage = newStage();
    expect(reasonIn(stage.deliver(request("a", { accountsOnDevice: 4 }), { nowMs }))).toBe("shared-device");
  });

  it("refuses tries above the velocity, blocks after the third refusal, and forgives after a minute", () => {
    const stage = newStage();
    const reasons = Array.from({ length: 10 }, (_, index) => reasonIn(stage.deliver(request(index), { nowMs })));
    const passed = [undefined, undefined, undefined, undefined, undefined];
    expect(reasons).toEqual([...passed, "velocity", "velocity", "velocity", "blocked", "blocked"]);
    expect(reasonIn(stage.deliver(request("b", { userId: "u_bob" as UserId }), { nowMs }))).toBeUndefined();
    expect(reasonIn(stage.deliver(request("c"), { nowMs: nowMs + minuteMs - 1 }))).toBe("blocked");
    expect(reasonIn(stage.deliver(request("d"), { nowMs: nowMs + 2 * minuteMs }))).toBeUndefined();
  });

  it("counts the minute before by the share that the last 60 s still cover", () => {
    const stage = newStage();
    for (let index = 0; index < 4; index++) stage.deliver(request(index), { nowMs: nowMs + 30_000 });
    const reasonAfter = (name: string, ms: number) => reasonIn(stage.deliver(request(name), { nowMs: nowMs + ms }));
    expect(reasonAfter("a", minuteMs)).toBeUndefined();
    expect(reasonAfter("b", minuteMs)).toBe("velocity");
    expect(reasonAfter("c", minuteMs + 30_000)).toBeUndefined();
  });

  it("gives a request seen before its first verdict again, to whoever asks now, and does not count it", () => {
    const stage = newStage();
    for (let index = 0; index < 20; index++) {
      const again = { ...replyTo, correlationId: `c${index}` };
      const { emitted } = stage.deliver(request("a"), { nowMs, replyTo: again });
      expect(emitted).toMatchObject([{ replyTo: again, value: { risk: { verdict: "pass" } } }]);
    }
    const refused = stage.deliver(request("b", { accountsOnDevice: 9 }), { nowMs });
    expect(verdictIn(refused)).toMatchObject({ judgedAtMs: nowMs });
    expect(stage.deliver(request("b"), { nowMs: nowMs + 1_000 }).emitted).toEqual(refused.emitted);
  });

  it("hands on a request past its deadline unjudged and uncounted, for stock to record expired", () => {
    const stage = newStage(new Map([[idOf("a"), 0.99]]));
    const late = stage.deliver(request("a", { decideByMs: nowMs - 1 }), { nowMs });
    expect(verdictIn(late)).toEqual({ verdict: "pass", scored: false });
    expect(late.written).toEqual([]);
  });

  it("remembers nothing for ever: entries of a user who left are gone", () => {
    const stage = newStage();
    stage.deliver(request("a"), { nowMs });
    expect(stage.keys().filter((key) => stage.entry(key, nowMs) !== undefined)).toHaveLength(2);
    expect(stage.keys().filter((key) => stage.entry(key, nowMs + 10 * minuteMs) !== undefined)).toEqual([]);
  });

  it("a request whose judging failed still reaches stock, refused as poison", () => {
    const stage = new StageRehearsal<RequestMessage>({ keys: riskEntriesOf, decide: poisonRisk });
    expect(reasonIn(stage.deliver(request("a"), { nowMs, replyTo }))).toBe("poison");
  });
});
