/**
 * What the payment and SMS providers say happened: their own ledgers, read over HTTP page by page.
 *
 * What can go wrong: they answer slowly, not at all, or with something else; then there is no evidence, and no
 * partial one. The SMS ledger knows nothing of sales, so for one sale it is filtered by its orders.
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

const pageTimeoutMs = 5_000;
const attemptsMax = 3;

/** `sale` undefined: all that the providers know. */
export async function readProviders(
  url: string | undefined,
  sale: { readonly id: string; readonly orderIds: ReadonlySet<string> } | undefined,
): Promise<Looked<ProviderEvidence>> {
  if (url === undefined) return { looked: false, why: "this gateway knows no provider's address" };
  try {
    // A reference is `<saleId>.…:<paymentId>`, the key of an SMS `<orderId>:<event>`.
    const prefix = sale === undefined ? "" : `${sale.id}.`;
    const authorisations = (
      await pages(`${url}/payments/authorisations`, prefix, AuthorisationPage, (page) => page.authorisations)
    ).map(({ reference, ...rest }) => ({ ...rest, paymentId: reference.slice(reference.lastIndexOf(":") + 1) }));
    const sms = await pages(`${url}/sms`, "", SmsPage, (page) =>
      page.messages.filter(({ key }) => sale === undefined || sale.orderIds.has(key.slice(0, key.lastIndexOf(":")))),
    );
    return { looked: true, found: { authorisations, sms } };
  } catch (error) {
    return { looked: false, why: error instanceof Error ? error.message : String(error) };
  }
}

async function pages<P extends { next: number | null }, R>(
  url: string,
  prefix: string,
  schema: z.ZodType<P>,
  rowsOf: (page: P) => readonly R[],
): Promise<R[]> {
  const rows: R[] = [];
  for (let after: number | null = 0; after !== null; ) {
    const page: P = schema.parse(await read(`${url}?prefix=${encodeURIComponent(prefix)}&after=${after}`));
    rows.push(...rowsOf(page));
    after = page.next;
  }
  return rows;
}

/** A kept connection may be dead without having been told so: the one that it was tried on is given up. */
async function read(url: string): Promise<unknown> {
  for (let attempt = 1; ; attempt++) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(pageTimeoutMs) });
      if (!response.ok) throw new Error(`${url} answered ${response.status}`);
      return await response.json();
    } catch (error) {
      if (attempt === attemptsMax) throw error;
    }
  }
}
