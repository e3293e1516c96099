/**
 * Messages: one SMS for each event of an order, whatever is delivered twice.
 *
 *   orders ──► those without a row ──► provider, once per key `<orderId>:<event>` ──► rows, one statement a batch
 *
 * What can go wrong:
 * - `orders` tells an event again (its contract allows that), or the batch is delivered again: the row is there, or
 *   the provider knows the key; nobody gets two messages.
 * - The process dies between sending and writing: the provider repeats its answer for the key, the row follows.
 * - The provider throttles (429 with Retry-After) or is down: what was sent is written, the rest waits in a paused
 *   partition, and no attempt is spent. The sale, orders and payments are other groups and go on.
 * - The provider refuses a message: to the dead letters, the others go on.
 */
import { groups, type OrderEvent, orders } from "@plateau/domain";
import type { Database } from "@plateau/prisma";
import pLimit from "p-limit";
import { dead, done, type GroupMember, type Message, type Outcome, type Queue } from "queue-core";
import { settleBatch } from "../batch-writes.ts";
import { ProviderRefused, ProviderUnavailable, pauseFor } from "../providers/provider-errors.ts";
import type { SmsProvider } from "./sms-provider.ts";
import { smsTextOf } from "./sms-text.ts";

export interface SmsConsumerOptions {
  readonly queue: Queue;
  readonly db: Database;
  readonly sms: SmsProvider;
  readonly member?: string;
}

/** Messages on their way to the provider at once, over all partitions of this consumer. */
const sendsAtOnce = 6;

type Sent = { readonly id: string } | { readonly outcome: Outcome };

/** One per event of an order: the row's id, and the provider's idempotency key. */
const smsIdOf = (event: OrderEvent): string => `${event.orderId}:${event.type}`;

export function startSmsConsumer(options: SmsConsumerOptions): Promise<GroupMember> {
  const limit = pLimit(sendsAtOnce);
  return options.queue.consume<OrderEvent>({
    group: groups.sms,
    topic: orders,
    maxBatch: 100,
    lingerMs: 50,
    ...(options.member === undefined ? {} : { member: options.member }),
    handle: (batch, signal) => settleBatch(batch, (part) => sendBatch(options, limit, part, signal)),
  });
}

async function sendBatch(
  { queue, db, sms }: SmsConsumerOptions,
  limit: ReturnType<typeof pLimit>,
  batch: readonly Message<OrderEvent>[],
  signal: AbortSignal,
): Promise<readonly Outcome[]> {
  const events = new Map(batch.map(({ value }) => [smsIdOf(value), value]));
  const rows = await db.$queryRaw<{ id: string }[]>`
    SELECT id FROM sms_messages WHERE id = ANY(${[...events.keys()]}::text[])`;
  const outcomes = new Map<string, Outcome>(rows.map(({ id }) => [id, done]));
  // Once the provider throttles or fails, what has not been sent waits for the same time.
  let halt: Outcome | undefined;
  const sent = await Promise.all(
    [...events].flatMap(([id, event]) =>
      outcomes.has(id)
        ? []
        : limit(async () => {
            const result: Sent = halt === undefined ? await sendOne(sms, event, signal) : { outcome: halt };
            if ("outcome" in result && result.outcome.kind === "pause") halt = result.outcome;
            return { id, event, result };
          }),
    ),
  );
  const written = sent.flatMap(({ id, event, result }) => ("id" in result ? [rowOf(id, event, result.id, queue)] : []));
  await addRows(db, written);
  for (const { id, result } of sent) outcomes.set(id, "id" in result ? done : result.outcome);
  return batch.map(({ value }) => outcomes.get(smsIdOf(value)) ?? done);
}

/** One JSON parameter, whatever the number of rows: see the order consumer's statements for why. */
async function addRows(db: Database, rows: readonly ReturnType<typeof rowOf>[]): Promise<void> {
  if (rows.length === 0) return;
  await db.$executeRaw`
    INSERT INTO sms_messages (id, order_id, user_id, sale_id, event, text, provider_id, sent_at)
    SELECT id, "orderId", "userId", "saleId", event, text, "providerId", "sentAt"
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS added (
      id text, "orderId" text, "userId" text, "saleId" text, event text, text text, "providerId" text,
      "sentAt" timestamptz)
    ON CONFLICT DO NOTHING`;
}

async function sendOne(sms: SmsProvider, event: OrderEvent, signal: AbortSignal): Promise<Sent> {
  try {
    return await sms.send({ idempotencyKey: smsIdOf(event), to: event.userId, text: smsTextOf(event) }, signal);
  } catch (error) {
    if (error instanceof ProviderUnavailable) return { outcome: pauseFor(error) };
    if (error instanceof ProviderRefused) return { outcome: dead(error.message) };
    throw error;
  }
}

const rowOf = (id: string, event: OrderEvent, providerId: string, queue: Queue) => ({
  id,
  orderId: event.orderId,
  userId: event.userId,
  saleId: event.saleId,
  event: event.type,
  text: smsTextOf(event),
  providerId,
  sentAt: new Date(queue.now()),
});
