import { describe, expect, it } from "vitest";
import { audit, auditLines } from "./audit.ts";
import type { Evidence, Looked, TopicEvidence } from "./evidence.ts";
import { database, goodSale, log, provider, remove, type Spoiled, the } from "./good-history.ts";
import { parseHistory } from "./history.ts";
import { found, SaleOnPaper } from "./sale-on-paper.ts";

const verdictsOf = (evidence: Spoiled) =>
  Object.fromEntries(audit(evidence as Evidence).invariants.map(({ id, verdict }) => [id, verdict]));

describe("a good history", () => {
  it("passes all eleven invariants, each with numbers as evidence", () => {
    const report = audit(goodSale().evidence as Evidence);
    expect(auditLines(report).filter((line) => !line.startsWith("pass"))).toEqual(["audit: pass"]);
    expect(report.invariants.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    for (const { evidence } of report.invariants) expect(evidence).toMatch(/\d/);
  });

  it("passes while the last messages are still under way", () => {
    const { evidence, ids } = goodSale();
    for (const messages of Object.values(log(evidence))) {
      for (const message of messages) if (JSON.stringify(message.value).includes(ids.jon)) message.settled = false;
    }
    remove(database(evidence).orders, ({ reservationId }) => reservationId === ids.jon);
    remove(log(evidence).orders, ({ value }) => value.reservationId === (ids.jon as string));
    remove(database(evidence).sms, ({ orderId }) => !database(evidence).orders.some(({ id }) => id === orderId));
    remove(provider(evidence).sms, ({ key }) => !database(evidence).orders.some(({ id }) => key.startsWith(`${id}:`)));
    expect(audit(evidence as Evidence)).toMatchObject({ verdict: "pass" });
  });
});

describe("unknown is no pass", () => {
  it("where nothing happened", () => {
    const report = audit(new SaleOnPaper({ stock: 5, perUserLimit: 1 }).evidence() as Evidence);
    expect(report.verdict).toBe("unknown");
    expect(new Set(report.invariants.map(({ verdict }) => verdict))).toEqual(new Set(["unknown"]));
  });

  it.each(["state", "database", "provider"] as const)("where %s could not be read", (source) => {
    const { evidence } = goodSale();
    evidence[source] = { looked: false, why: "connection refused" };
    const report = audit(evidence as Evidence);
    expect(report.verdict).toBe("unknown");
    expect(report.invariants.filter(({ verdict }) => verdict === "fail")).toEqual([]);
    expect(auditLines(report).join()).toContain(`could not look: ${source}: connection refused`);
  });

  it.each(["requests", "commands", "results", "reservations", "orders", "paymentRequests", "admissions"] as const)(
    "where %s could not be read, or lost its oldest messages to retention",
    (topic) => {
      const { evidence } = goodSale();
      const source: Looked<Pick<TopicEvidence<unknown>, "partitions">> = (evidence as Evidence).log[topic];
      const first = the(found(source).partitions, () => true);
      Object.assign(first, { start: 7, end: first.end + 7 });
      expect(audit(evidence as Evidence).verdict).toBe("unknown");
      expect(auditLines(audit(evidence as Evidence)).join()).toContain("no longer kept");
    },
  );

  it("where a group lags behind", () => {
    const { evidence } = goodSale();
    evidence.lag = [{ group: "sms", topic: "orders", behindMessages: 3 }];
    expect(verdictsOf(evidence)).toMatchObject({ 10: "pass", 11: "unknown" });
  });

  it("where a history was given in which nobody heard anything", () => {
    const { evidence } = goodSale();
    evidence.history = [{ process: "ada", type: "invoke", op: "purchase", key: "k1", tMonoMs: 1 }];
    expect(verdictsOf(evidence)).toMatchObject({ 4: "unknown" });
  });
});

describe("a driver's history", () => {
  const line = '{"process":"ada","type":"invoke","op":"purchase","key":"k1","tMonoMs":1}';

  it("may end in a line that the driver's own death cut short", () => {
    expect(parseHistory(`${line}\n${line}\n${line.slice(0, 20)}`)).toHaveLength(2);
  });

  it.each([
    ["cut in the middle", `${line.slice(0, 20)}\n${line}\n`],
    ["something else", `{"no":"history"}`],
  ])("is refused with the line's number where a line is %s", (_what, text) => {
    expect(() => parseHistory(text)).toThrow("history line 1 is not a history entry");
  });
});
