/**
 * What the payment and SMS providers say happened: their own ledgers, read over HTTP page by page.
 *
 * What can go wrong: they answer slowly, not at all, or with something else; then there is no evidence, and no
 * partial one. The ledgers know nothing of sales, so for one sale they are filtered by its payments and orders.
 */
import type { Looked, ProviderEvidence } from "@plateau/domain";
import { z } from "zod";

const AuthorisationPage = z.object({
  authorisations: z.array(
    z.object({
      id: z.string(),
      reference: z.string(),
      amountCents: z.int(),
      status: z.enum(["authorised", "captured", "voided"]),
    }),
  ),
  next: z.int().nullable(),
});
const SmsPage = z.object({
  messages: z.array(z.object({ id: z.string(), key: z.string() })),
  next: z.int().nullable(),
});

export interface OfInterest {
  /** Ours, for the sales in scope. */
  readonly payments: readonly { readonly id: string; readonly authorisationId: string | null }[];
  /** Undefined: all that the providers know is ours. */
  readonly orderIds: ReadonlySet<string> | undefined;
}

const pageTimeoutMs = 5_000;

export async function readProviders(url: string | undefined, of: OfInterest): Promise<Looked<ProviderEvidence>> {
  if (url === undefined) return { looked: false, why: "this gateway knows no provider's address" };
  try {
    const payments = new Map(of.payments.map(({ id }) => [id, id]));
    for (const { id, authorisationId } of of.payments) if (authorisationId !== null) payments.set(authorisationId, id);
    const authorisations = (
      await pages(`${url}/payments/authorisations`, AuthorisationPage, (page) => page.authorisations)
    )
      .map(({ reference, ...rest }) => ({ ...rest, paymentId: payments.get(rest.id) ?? payments.get(reference) }))
      .filter(({ paymentId }) => of.orderIds === undefined || paymentId !== undefined);
    const sms = (await pages(`${url}/sms`, SmsPage, (page) => page.messages)).filter(
      ({ key }) => of.orderIds === undefined || of.orderIds.has(key.slice(0, key.lastIndexOf(":"))),
    );
    return { looked: true, found: { authorisations, sms } };
  } catch (error) {
    return { looked: false, why: error instanceof Error ? error.message : String(error) };
  }
}

async function pages<P extends { next: number | null }, R>(
  url: string,
  schema: z.ZodType<P>,
  rowsOf: (page: P) => readonly R[],
): Promise<R[]> {
  const rows: R[] = [];
  for (let after: number | null = 0; after !== null; ) {
    const response = await fetch(`${url}?after=${after}`, { signal: AbortSignal.timeout(pageTimeoutMs) });
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    const page: P = schema.parse(await response.json());
    rows.push(...rowsOf(page));
    after = page.next;
  }
  return rows;
}
