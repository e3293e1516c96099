/** What the payment consumer needs of a payment provider; any card processor with idempotency keys can fill it. */
export interface Authorisation {
  readonly id: string;
  readonly status: "authorised" | "captured" | "voided";
}

export type AuthoriseAnswer =
  | { readonly status: "authorised"; readonly authorisationId: string }
  | { readonly status: "declined"; readonly problem: string };

/** `conflict`: it was settled the other way before, which is final. */
export type SettleAnswer = "settled" | "conflict";

/**
 * Every call may be repeated and then changes nothing. Throws ProviderUnavailable where the same call may work
 * later, ProviderRefused where it never will.
 */
export interface PaymentProvider {
  /** Holds the money, once per idempotency key. */
  authorise(
    payment: {
      readonly idempotencyKey: string;
      readonly reference: string;
      readonly amountCents: number;
      readonly outcome: "succeed" | "decline";
    },
    signal: AbortSignal,
  ): Promise<AuthoriseAnswer>;
  capture(authorisationId: string, signal: AbortSignal): Promise<SettleAnswer>;
  void(authorisationId: string, signal: AbortSignal): Promise<SettleAnswer>;
  /** The authorisation made under this reference, or undefined. */
  find(reference: string, signal: AbortSignal): Promise<Authorisation | undefined>;
}

/** Begins with the sale's id, so that the provider's ledger can be read sale by sale. */
export const referenceOf = (payment: { readonly reservationId: string; readonly paymentId: string }): string =>
  `${payment.reservationId}:${payment.paymentId}`;
