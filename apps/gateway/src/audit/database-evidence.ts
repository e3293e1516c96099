/**
 * What the database says, read in one repeatable-read transaction: statistics and the offsets up to which they
 * count are of the same instant.
 */
import { type DatabaseEvidence, groups, type Looked } from "@plateau/domain";
import type { Database } from "@plateau/prisma";

export async function readDatabase(db: Database, saleId: string | undefined): Promise<Looked<DatabaseEvidence>> {
  const ofSale = saleId === undefined ? {} : { saleId };
  try {
    const [sales, orders, payments, sms, cells, offsets] = await db.$transaction(
      [
        db.sale.findMany({
          where: saleId === undefined ? {} : { id: saleId },
          select: { id: true, stock: true, priceCents: true, perUserLimit: true },
        }),
        db.order.findMany({
          where: ofSale,
          select: {
            id: true,
            reservationId: true,
            saleId: true,
            userId: true,
            quantity: true,
            amountCents: true,
            state: true,
            version: true,
          },
        }),
        db.payment.findMany({
          where: ofSale,
          select: {
            id: true,
            reservationId: true,
            saleId: true,
            amountCents: true,
            state: true,
          },
        }),
        db.smsMessage.findMany({ where: ofSale, select: { id: true, orderId: true, saleId: true, event: true } }),
        db.statisticsWindow.groupBy({
          by: ["saleId", "metric", "label"],
          where: ofSale,
          orderBy: { saleId: "asc" },
          _sum: { value: true },
        }),
        db.consumerOffset.findMany({ where: { group: groups.stats } }),
      ],
      { isolationLevel: "RepeatableRead" },
    );
    const statistics = cells.map((cell) => ({
      saleId: cell.saleId,
      metric: cell.metric,
      label: cell.label,
      value: Number(cell._sum?.value ?? 0),
    }));
    const countedTo = new Map(
      offsets.map(({ topic, partition, offset }) => [`${topic}/${partition}`, Number(offset)] as const),
    );
    return { looked: true, found: { sales, orders, payments, sms, statistics, countedTo } };
  } catch (error) {
    return { looked: false, why: error instanceof Error ? firstLineOf(error.message) : String(error) };
  }
}

const firstLineOf = (text: string): string => text.trim().split("\n").at(-1) ?? text;
