/** Words of an order: its states, and what each service did on its way. */
import type { Order } from "@plateau/domain/http";

export const orderStateWords: Record<Order["state"], string> = {
  awaiting_payment: "Waiting for payment",
  paying: "Payment under way",
  paid: "Paid",
  cancelled: "Cancelled",
  payment_expired: "Not paid in time",
};

const services: Readonly<Record<string, string>> = {
  gateway: "Gateway",
  risk: "Risk",
  stock: "Stock",
  order: "Order",
  payment: "Payment",
  sms: "SMS",
};

export const serviceText = (service: string): string => services[service] ?? sentenceCase(service);

/** `payment_authorised` → `Payment authorised`. */
export const eventText = (event: string): string => sentenceCase(event.replaceAll(/[_-]/g, " "));

const sentenceCase = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1);

const thousands = new Intl.NumberFormat("en");

/** Since the first event: in ms, which is the point, and from a minute on in minutes too. */
export function sinceText(ms: number): string {
  return ms < 60_000
    ? `${thousands.format(ms)} ms`
    : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}
