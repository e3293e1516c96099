/** The statements of the SMS jobs. */
import type { OrderEvent } from "@plateau/domain";
import type { Database } from "@plateau/prisma";
import { smsTextOf } from "./sms-text.ts";

export async function areSent(db: Database, ids: readonly string[]): Promise<readonly boolean[]> {
  const rows = await db.$queryRaw<{ id: string }[]>`SELECT id FROM sms_messages WHERE id = ANY(${[...ids]}::text[])`;
  const sent = new Set(rows.map(({ id }) => id));
  return ids.map((id) => sent.has(id));
}

/** One JSON parameter, whatever the number of rows: see the order consumer's statements for why. */
export async function addRows(db: Database, rows: readonly SmsRow[]): Promise<readonly undefined[]> {
  await db.$executeRaw`
    INSERT INTO sms_messages (id, order_id, user_id, sale_id, event, text, provider_id, sent_at)
    SELECT id, "orderId", "userId", "saleId", event, text, "providerId", "sentAt"
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS added (
      id text, "orderId" text, "userId" text, "saleId" text, event text, text text, "providerId" text,
      "sentAt" timestamptz)
    ON CONFLICT DO NOTHING`;
  return rows.map(() => undefined);
}

export type SmsRow = ReturnType<typeof rowOf>;

export const rowOf = (id: string, event: OrderEvent, providerId: string, nowMs: number) => ({
  id,
  orderId: event.orderId,
  userId: event.userId,
  saleId: event.saleId,
  event: event.type,
  text: smsTextOf(event),
  providerId,
  sentAt: new Date(nowMs),
});
