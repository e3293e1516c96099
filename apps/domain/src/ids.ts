/**
 * Identifiers. A purchase's id is computed, not drawn: any gateway derives the same id from user, sale and
 * idempotency key, so a retry at another gateway, after any crash, meets the same result (truth rule 2).
 *
 * What can go wrong: a guessable id would let a stranger look a purchase up. The 128 bits come from an HMAC
 * with a secret that every gateway shares and no client sees.
 */
import { createHmac, hash, type KeyObject, randomBytes } from "node:crypto";

type Brand<T, B extends string> = T & { readonly __brand: B };
export type UserId = Brand<string, "UserId">;
export type SaleId = Brand<string, "SaleId">;
/** `<saleId>.<22 characters base64url>`. */
export type PurchaseId = Brand<string, "PurchaseId">;
/** One purchase has at most one reservation; the id is the purchase's, so nothing has to be drawn to decide. */
export type ReservationId = Brand<string, "ReservationId">;
export type OrderId = Brand<string, "OrderId">;
export type PaymentId = Brand<string, "PaymentId">;

const purchaseIdPattern = /^([A-Za-z0-9_-]{1,40})\.([A-Za-z0-9_-]{22})$/;

/** 128 random bits, base64url, 22 characters. */
export const randomToken = (): string => randomBytes(16).toString("base64url");
export const newUserId = (): UserId => `u_${randomToken()}` as UserId;
export const newSaleId = (): SaleId => `s_${randomToken()}` as SaleId;
export const newPaymentId = (): PaymentId => `p_${randomToken()}` as PaymentId;

/** `secret`: as a KeyObject it is prepared once, which saves two fifths of the time (8 instead of 14 µs). */
export function purchaseIdOf(
  secret: string | Buffer | KeyObject,
  of: { readonly userId: string; readonly saleId: string; readonly idempotencyKey: string },
): PurchaseId {
  const mac = createHmac("sha256", secret)
    .update(JSON.stringify([of.userId, of.saleId, of.idempotencyKey]))
    .digest()
    .toString("base64url", 0, 16);
  return `${of.saleId}.${mac}` as PurchaseId;
}

/** The sale inside a purchase id, or undefined where the text is no purchase id. */
export function saleOfPurchase(purchaseId: string): SaleId | undefined {
  return purchaseIdPattern.exec(purchaseId)?.[1] as SaleId | undefined;
}

export const reservationIdOf = (purchaseId: PurchaseId): ReservationId => purchaseId as string as ReservationId;
/** The order's id follows from its reservation: one order per reservation, and any service can name it. */
export const orderIdOf = (reservationId: ReservationId): OrderId =>
  `o_${hash("sha256", reservationId, "buffer").toString("base64url", 0, 16)}` as OrderId;

/** Tells whether two bodies sent with one idempotency key mean the same. */
export const fingerprintOf = (body: { readonly quantity: number }): string => `q${body.quantity}`;
