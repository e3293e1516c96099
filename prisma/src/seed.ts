/**
 * Fills the shop: twelve products, and sales of which some are open, some upcoming and one sold out whenever the
 * demo starts.
 *
 * Promises: deterministic (rows and ids follow from what is in the database and from `now` alone), idempotent
 * (seeding again adds only what has run out in the meantime; nothing is changed or removed), and safe to run while
 * the shop is open or while others seed (they take turns). A system that runs for long calls it every few minutes to keep the timetable filled.
 *
 * What it cannot do: a sale is sold out when its units were bought, and only the stock stage decides that. The seed
 * makes a small sale for it and names it in `toSellOut`; whoever starts the demo lets simulated shoppers buy and
 * pay what is left, through the gateway like everybody else.
 */
import { catalogue } from "./catalogue.ts";
import type { Database } from "./database.ts";
import { inTurn } from "./in-turn.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

interface SaleRow {
  readonly id: string;
  readonly productId: string;
  readonly title: string;
  readonly priceCents: number;
  readonly stock: number;
  readonly perUserLimit: number;
  readonly startsAt: Date;
  readonly endsAt: Date;
  readonly paymentTimeoutMs: number;
}

interface Offer {
  readonly productId: string;
  readonly priceCents: number;
  readonly stock: number;
  readonly perUserLimit: number;
}

const offer = (productId: string, priceCents: number, stock: number, perUserLimit: number): Offer => ({
  productId,
  priceCents,
  stock,
  perUserLimit,
});

/** Open the whole day; renewed when less than two hours are left. */
const openOffers = [
  offer("enamel-kettle", 2_900, 200, 2),
  offer("thermos", 1_900, 500, 5),
  offer("film-camera", 39_000, 24, 1),
];

/** Small enough that a handful of simulated shoppers empties it at once. */
const soldOutOffer = offer("field-radio", 9_900, 6, 1);

/** One on the hour, in turn. */
const hourlyOffers = [
  offer("wool-blanket", 7_900, 60, 1),
  offer("headlamp", 3_900, 120, 2),
  offer("down-jacket", 19_800, 40, 1),
  offer("hand-grinder", 5_400, 80, 2),
  offer("tent", 29_000, 30, 1),
  offer("trail-shoe", 8_900, 90, 1),
  offer("cast-iron-pan", 3_600, 100, 2),
  offer("rope", 11_500, 50, 1),
];

const hoursAhead = 6;
const hourlySaleMs = 50 * minuteMs;
const allDayMs = 24 * hourMs;
const renewBeforeMs = 2 * hourMs;

export interface SeedResult {
  /** Sales made by this call, to be announced to the stock stage. */
  readonly created: readonly string[];
  /** Open sales whose remaining units simulated shoppers should buy and pay, one unit a shopper. */
  readonly toSellOut: readonly string[];
}

/** `now` decides which sales are open. Needs a migrated database. */
export function seed(db: Database, { now }: { readonly now: Date }): Promise<SeedResult> {
  return inTurn(db, "seed", () => seedNow(db, now));
}

async function seedNow(db: Database, now: Date): Promise<SeedResult> {
  await db.product.createMany({
    data: catalogue.map((product, index) => ({ ...product, position: index + 1 })),
    skipDuplicates: true,
  });
  const allDay = await Promise.all([...openOffers, soldOutOffer].map((wanted) => allDaySale(db, wanted, now)));
  const wanted = [...allDay, ...timetable(now)];
  const there = new Set(
    (await db.sale.findMany({ where: { id: { in: wanted.map((sale) => sale.id) } }, select: { id: true } })).map(
      (sale) => sale.id,
    ),
  );
  const missing = wanted.filter((sale) => !there.has(sale.id));
  await db.sale.createMany({ data: missing, skipDuplicates: true });
  const soldOut = allDay.filter((sale) => sale.productId === soldOutOffer.productId);
  return { created: missing.map((sale) => sale.id), toSellOut: soldOut.map((sale) => sale.id) };
}

/** The running sale of this offer while it has time left, else one that began twenty minutes ago. */
async function allDaySale(db: Database, wanted: Offer, now: Date): Promise<SaleRow> {
  const running = await db.sale.findFirst({
    where: {
      id: { startsWith: `day-${wanted.productId}-` },
      closedAt: null,
      startsAt: { lte: now },
      endsAt: { gt: new Date(now.getTime() + renewBeforeMs) },
    },
    orderBy: { startsAt: "desc" },
  });
  if (running !== null) return running;
  const startsAtMs = Math.floor(now.getTime() / minuteMs) * minuteMs - 20 * minuteMs;
  return row("day", wanted, startsAtMs, allDayMs);
}

/** The next sales on the hour; which product an hour has follows from the hour alone. */
function timetable(now: Date): SaleRow[] {
  const nextHour = Math.floor(now.getTime() / hourMs) + 1;
  return Array.from({ length: hoursAhead }, (_, ahead) => {
    const hour = nextHour + ahead;
    const wanted = hourlyOffers[hour % hourlyOffers.length];
    if (wanted === undefined) throw new Error("the timetable has no offers");
    return row("hour", wanted, hour * hourMs, hourlySaleMs);
  });
}

function row(kind: "day" | "hour", wanted: Offer, startsAtMs: number, lastsMs: number): SaleRow {
  const product = catalogue.find((candidate) => candidate.id === wanted.productId);
  if (product === undefined) throw new Error(`no product ${wanted.productId}`);
  return {
    ...wanted,
    id: `${kind}-${wanted.productId}-${(startsAtMs / minuteMs).toString(36)}`,
    title: product.title,
    startsAt: new Date(startsAtMs),
    endsAt: new Date(startsAtMs + lastsMs),
    paymentTimeoutMs: 5 * minuteMs,
  };
}
