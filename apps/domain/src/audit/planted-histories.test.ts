/**
 * The audit itself under test: one good history, spoiled in one place at a time, must fail the invariant that the
 * fault breaks.
 *
 * Length: it is a list, one row per fault.
 */
import { describe, expect, it } from "vitest";
import { audit } from "./audit.ts";
import type { Evidence } from "./evidence.ts";
import { database, goodSale, log, provider, remove, type Spoiled, state, the, told } from "./good-history.ts";
import { found } from "./sale-on-paper.ts";

const verdictsOf = (evidence: Spoiled) =>
  Object.fromEntries(audit(evidence as Evidence).invariants.map(({ id, verdict }) => [id, verdict]));

type Plant = readonly [
  fault: string,
  invariant: number,
  spoil: (evidence: Spoiled, ids: ReturnType<typeof goodSale>["ids"]) => void,
];

const plants: readonly Plant[] = [
  [
    "a reservation above the stock",
    1,
    (evidence, { eve, dan }) => {
      const { reservations } = log(evidence);
      const win = structuredClone(the(reservations, ({ value }) => value.purchaseId === dan));
      const lost = the(log(evidence).results, ({ value }) => value.purchaseId === eve).value;
      reservations.push({ ...win, value: { ...win.value, purchaseId: lost.purchaseId, position: lost.position } });
    },
  ],
  [
    "an event that says more is held than there is",
    1,
    (evidence, { dan }) => {
      the(log(evidence).reservations, ({ value }) => value.purchaseId === dan).value.stockAfter.reserved = 6;
    },
  ],
  [
    "a stock entry that holds more than the stock",
    1,
    (evidence) => {
      const sale = state(evidence).sales.get("s_paper");
      if (sale !== undefined) sale.reserved = 6;
    },
  ],
  [
    "orders that hold more than the stock",
    1,
    (evidence) => {
      for (const order of database(evidence).orders) order.state = "awaiting_payment";
    },
  ],
  [
    "sold out told by the stage while a unit was left",
    2,
    (evidence, { gus }) => {
      the(log(evidence).results, ({ value }) => value.purchaseId === gus).value.outcome = "sold_out";
    },
  ],
  [
    "a sold-out hint at a position with units left",
    2,
    (evidence) => {
      the(log(evidence).admissions, () => true).value.hints = [{ position: 1, count: 1 }];
    },
  ],
  [
    "a sold-out hint at a position that is none of the sale's",
    2,
    (evidence) => {
      the(log(evidence).admissions, () => true).value.hints = [{ position: 4_711, count: 1 }];
    },
  ],
  [
    "two results for one purchase",
    3,
    (evidence, { eve }) => {
      const { results } = log(evidence);
      results.push(structuredClone(the(results, ({ value }) => value.purchaseId === eve)));
    },
  ],
  [
    "a win that a crash undid: the result is gone from the look-up",
    3,
    (evidence, { jon }) => {
      state(evidence).results.delete(jon);
    },
  ],
  [
    "a look-up that gives another outcome than was told",
    3,
    (evidence, { eve }) => {
      const entry = state(evidence).results.get(eve);
      if (entry !== undefined) entry.outcome = "rejected";
    },
  ],
  [
    "a purchase won without units being reserved",
    3,
    (evidence, { jon }) => {
      remove(log(evidence).reservations, ({ value }) => value.purchaseId === jon);
    },
  ],
  [
    "told expired before the deadline",
    4,
    (evidence, { eve }) => {
      the(log(evidence).results, ({ value }) => value.purchaseId === eve).value.outcome = "expired";
    },
  ],
  [
    "told not open while the sale was open",
    4,
    (evidence, { eve }) => {
      const { value } = the(log(evidence).results, (message) => message.value.purchaseId === eve);
      Object.assign(value, { outcome: "rejected", reason: "sale-not-open" });
    },
  ],
  [
    "a win after the sale was closed",
    4,
    (evidence, { jon }) => {
      const { commands } = log(evidence);
      const position = the(commands, ({ value }) => value.type === "purchase" && value.purchaseId === jon).offset;
      const before = the(commands, ({ offset }) => offset === position - 1);
      before.value = { type: "close-sale", saleId: before.value.saleId };
    },
  ],
  [
    "a client told won whose purchase was decided sold out",
    4,
    (evidence, { eve }) => {
      evidence.history?.push(told("eve", "look-up", "won", eve));
    },
  ],
  [
    "a client told won, and after the crash sold out",
    4,
    (evidence, { bob }) => {
      evidence.history?.push(told("bob", "purchase", "sold_out", bob));
    },
  ],
  [
    "a client last told sold out that owns a reservation",
    4,
    (evidence, { jon }) => {
      evidence.history?.push(told("jon", "purchase", "queued", jon), told("jon", "purchase", "sold_out"));
    },
  ],
  [
    "a client told sold out as of a position with units left",
    4,
    (evidence) => {
      evidence.history?.push(told("zed", "purchase", "sold_out", undefined, 1));
    },
  ],
  [
    "a client told won of which the log knows nothing",
    4,
    (evidence) => {
      evidence.history?.push(told("zed", "purchase", "won", "s_paper.zed-k1"));
    },
  ],
  [
    "a client told queued, and after the crash not found",
    4,
    (evidence, { jon }) => {
      const lookUp = told("jon", "look-up", "queued", jon);
      const notFound = { saleId: "s_paper", userId: "jon", status: 404, code: "not-found" };
      evidence.history?.push(told("jon", "purchase", "queued", jon), { ...lookUp, type: "fail", value: notFound });
    },
  ],
  [
    "a win without an order",
    5,
    (evidence, { jon }) => {
      remove(database(evidence).orders, ({ reservationId }) => reservationId === jon);
    },
  ],
  [
    "an order without a win",
    5,
    (evidence, { eve, jon }) => {
      const order = the(database(evidence).orders, ({ reservationId }) => reservationId === jon);
      database(evidence).orders.push({ ...order, id: "o_2", reservationId: eve });
    },
  ],
  [
    "two orders for one win",
    5,
    (evidence, { jon }) => {
      const order = the(database(evidence).orders, ({ reservationId }) => reservationId === jon);
      database(evidence).orders.push({ ...order, id: "o_2" });
    },
  ],
  [
    "an order for another amount",
    5,
    (evidence, { jon }) => {
      the(database(evidence).orders, ({ reservationId }) => reservationId === jon).amountCents += 1;
    },
  ],
  [
    "an order inserted whose half message was lost",
    5,
    (evidence, { jon }) => {
      remove(log(evidence).orders, ({ value }) => value.reservationId === (jon as string));
    },
  ],
  [
    "one user above the limit by a second key",
    6,
    (evidence, { ada, gus }) => {
      for (const { value } of log(evidence).reservations) {
        if (value.purchaseId === gus) Object.assign(value, { userId: "dan" });
        if (value.purchaseId === ada) Object.assign(value, { userId: "dan" });
      }
    },
  ],
  [
    "refused at the limit without having reached it",
    6,
    (evidence, { eve }) => {
      const { value } = the(log(evidence).results, (message) => message.value.purchaseId === eve);
      Object.assign(value, { outcome: "rejected", reason: "limit-reached" });
    },
  ],
  [
    "a buyer's entry that forgot a unit",
    6,
    (evidence) => {
      state(evidence).buyers.set("s_paper:jon", 0);
    },
  ],
  [
    "a unit lost between two events",
    7,
    (evidence, { dan }) => {
      the(log(evidence).reservations, ({ value }) => value.purchaseId === dan).value.stockAfter.available -= 1;
    },
  ],
  [
    "a reservation released twice",
    7,
    (evidence, { cyd }) => {
      const { reservations, commands } = log(evidence);
      const release = the(reservations, ({ value }) => value.purchaseId === cyd && value.type === "released");
      const last = commands.at(-1);
      if (last !== undefined) {
        reservations.push({ ...release, value: { ...release.value, position: last.offset } });
      }
    },
  ],
  [
    "sold and not captured",
    7,
    (evidence) => {
      the(provider(evidence).authorisations, ({ paymentId }) => paymentId === "pay-ada").status = "authorised";
    },
  ],
  [
    "captured and not sold: a payment that raced its expiry got both",
    7,
    (evidence) => {
      the(provider(evidence).authorisations, ({ paymentId }) => paymentId === "pay-ada-again").status = "captured";
    },
  ],
  [
    "a refused payment whose money stays held",
    7,
    (evidence) => {
      the(provider(evidence).authorisations, ({ paymentId }) => paymentId === "pay-ada-again").status = "authorised";
    },
  ],
  [
    "a payment captured twice",
    7,
    (evidence) => {
      const { authorisations } = provider(evidence);
      authorisations.push({ ...the(authorisations, ({ status }) => status === "captured"), id: "auth-twice" });
    },
  ],
  [
    "a captured amount that is not the price",
    8,
    (evidence) => {
      the(provider(evidence).authorisations, ({ status }) => status === "captured").amountCents -= 50;
    },
  ],
  [
    "an event with an amount that is not quantity × price",
    8,
    (evidence, { dan }) => {
      the(log(evidence).reservations, ({ value }) => value.purchaseId === dan).value.amountCents -= 1;
    },
  ],
  [
    "a purchase that never ended",
    9,
    (evidence, { eve }) => {
      remove(log(evidence).results, ({ value }) => value.purchaseId === eve);
    },
  ],
  [
    "a 202 whose purchase never ended",
    9,
    (evidence) => {
      evidence.history?.push(told("zed", "purchase", "queued", "s_paper.zed-k1"));
    },
  ],
  [
    "a reservation held long after its payment deadline",
    9,
    (evidence) => {
      evidence.nowMs += 100_000;
    },
  ],
  [
    "statistics that count one win too few",
    10,
    (evidence) => {
      the(database(evidence).statistics, ({ metric }) => metric === "won").value -= 1;
    },
  ],
  [
    "statistics that count a refusal twice",
    10,
    (evidence) => {
      the(database(evidence).statistics, ({ label }) => label === "risk-score").value += 1;
    },
  ],
  [
    "an order in another state than its reservation",
    10,
    (evidence, { ada }) => {
      the(database(evidence).orders, ({ reservationId }) => reservationId === ada).state = "cancelled";
    },
  ],
  [
    "a stock entry that differs from the events",
    10,
    (evidence) => {
      const sale = state(evidence).sales.get("s_paper");
      if (sale !== undefined) Object.assign(sale, { available: sale.available - 1, reserved: sale.reserved + 1 });
    },
  ],
  [
    "a look-up that gives a paid reservation as cancelled",
    10,
    (evidence, { ada }) => {
      const reservation = state(evidence).results.get(ada)?.reservation;
      if (reservation !== undefined) reservation.state = "cancelled";
    },
  ],
  [
    "a catalogue that sells at another price",
    10,
    (evidence) => {
      the(database(evidence).sales, () => true).priceCents = 1;
    },
  ],
  [
    "an acknowledged request that the queue lost",
    11,
    (evidence, { eve }) => {
      remove(log(evidence).commands, ({ value }) => value.type === "purchase" && value.purchaseId === eve);
    },
  ],
  [
    "a request delivered twice",
    11,
    (evidence, { jon }) => {
      const { commands } = log(evidence);
      commands.push({
        ...the(commands, ({ value }) => value.type === "purchase" && value.purchaseId === jon),
        offset: commands.length,
      });
    },
  ],
  [
    "a command that nobody published",
    11,
    (evidence, { jon }) => {
      remove(log(evidence).requests, ({ value }) => value.purchaseId === jon);
    },
  ],
  [
    "one shopper's requests swapped",
    11,
    (evidence) => {
      const ofAda = log(evidence).commands.filter(
        ({ value }) => value.type === "purchase" && (value.userId as string) === "ada",
      );
      const [first, second] = ofAda;
      if (first === undefined || second === undefined) throw new Error("ada asked once only");
      [first.value, second.value] = [second.value, first.value];
    },
  ],
  [
    "events of one shopper out of order",
    11,
    (evidence) => {
      const ofAda = log(evidence).reservations.filter(({ value }) => (value.userId as string) === "ada");
      const [first, second] = ofAda;
      if (first === undefined || second === undefined) throw new Error("ada has one event only");
      [first.value, second.value] = [second.value, first.value];
    },
  ],
  [
    "an offset that is missing from a partition",
    11,
    (evidence) => {
      the(found(evidence.log.results).partitions, ({ read }) => read > 0).read -= 1;
    },
  ],
  [
    "a client given an id of which the log knows nothing",
    11,
    (evidence) => {
      evidence.history?.push(told("zed", "purchase", "queued", "s_paper.zed-k1"));
    },
  ],
  [
    "the same SMS sent twice by the provider",
    11,
    (evidence) => {
      const [first] = provider(evidence).sms;
      if (first !== undefined) provider(evidence).sms.push({ ...first, id: "sms-twice" });
    },
  ],
  [
    "an order event without its SMS",
    11,
    (evidence) => {
      provider(evidence).sms.pop();
    },
  ],
  [
    "an SMS about nothing",
    11,
    (evidence) => {
      database(evidence).sms.push({ id: "o_0:created", orderId: "o_0", saleId: "s_paper", event: "created" });
    },
  ],
];

describe("planted bad histories", () => {
  it.each(plants)("%s fails invariant %i", (_fault, invariant, spoil) => {
    const { evidence, ids } = goodSale();
    spoil(evidence, ids);
    const report = audit(evidence as Evidence);
    expect(report.verdict).toBe("fail");
    expect(verdictsOf(evidence)).toMatchObject({ [invariant]: "fail" });
  });

  it("cover every invariant", () => {
    expect(new Set(plants.map(([, invariant]) => invariant))).toEqual(new Set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]));
  });

  it("are named by kind, number and first ids", () => {
    const { evidence, ids } = goodSale();
    provider(evidence).authorisations.forEach((authorisation) => {
      authorisation.status = "authorised";
    });
    const line = audit(evidence as Evidence).invariants.find(({ id }) => id === 7)?.evidence;
    expect(line).toBe(`refused, but not voided: 1 (${ids.ada}); sold, but not captured: 1 (${ids.ada})`);
  });
});
