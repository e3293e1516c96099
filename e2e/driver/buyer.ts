/**
 * A shopper who also settles what was won: pays, is declined and pays again, cancels, or lets the time run out.
 *
 * As a careful client: the payment has one idempotency key, repeated until it was heard; what became of the order is
 * asked for until it has ended. Every call is entered in the history before it is sent.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Order } from "@plateau/domain";
import {
  type CallCounts,
  callTimeoutMs,
  neverReached,
  Shopper,
  type ShopperEnd,
  type ShopperOptions,
} from "./shopper.ts";

export const intents = ["pay", "be declined, then pay", "cancel", "let it expire"] as const;
export type Intent = (typeof intents)[number];

export interface BuyerEnd extends ShopperEnd {
  /** How the order ended; undefined where nothing was won. */
  readonly order?: Order["state"];
}

const pollEveryMs = 250;

/** An order's end, and a refusal that sends the buyer back to look at it. */
const ended: ReadonlySet<Order["state"]> = new Set(["paid", "cancelled", "payment_expired"]);

export class Buyer {
  readonly #options: ShopperOptions;
  readonly #intent: Intent;
  readonly #counts: CallCounts;
  readonly #onWon: (end: ShopperEnd) => void;

  constructor(
    options: ShopperOptions,
    buyer: { intent: Intent; counts: CallCounts; onWon: (end: ShopperEnd) => void },
  ) {
    this.#options = options;
    this.#intent = buyer.intent;
    this.#counts = buyer.counts;
    this.#onWon = buyer.onWon;
  }

  /** Resolves when there is nothing left to be done or told. Rejects when the signal says so. */
  async buy(): Promise<BuyerEnd> {
    const shopper = new Shopper(this.#options, this.#counts);
    const end = await shopper.shop();
    if (end.state !== "won" || end.orderId === undefined) return end;
    this.#onWon(end);
    if (this.#intent === "be declined, then pay") await this.#settle(end.orderId, "pay", { outcome: "decline" });
    if (this.#intent === "pay" || this.#intent === "be declined, then pay") {
      await this.#settle(end.orderId, "pay", { outcome: "succeed" });
    }
    if (this.#intent === "cancel") await this.#settle(end.orderId, "cancel", {});
    const order = await this.#ended(end.orderId);
    if (end.purchaseId !== undefined) await shopper.lookUp(end.purchaseId);
    return { ...end, order };
  }

  /** Asks until it was heard: accepted, or refused since the order has moved on. */
  async #settle(orderId: string, op: "pay" | "cancel", body: Readonly<Record<string, unknown>>): Promise<void> {
    const path = `/api/orders/${orderId}/${op === "pay" ? "payment" : "cancellation"}`;
    const key = `${this.#options.key}-${JSON.stringify(body)}`;
    for (;;) {
      const status = await this.#call(op, orderId, path, {
        method: "POST",
        headers: { "content-type": "application/json", "idempotency-key": key },
        body: JSON.stringify(body),
      });
      if (status?.order !== undefined) break;
      // 409: a payment is under way, or the order has ended.
      if (status?.status === 409 && ended.has(await this.#state(orderId))) return;
      await this.#pause(pollEveryMs);
    }
    while ((await this.#state(orderId)) === "paying") await this.#pause(pollEveryMs);
  }

  async #ended(orderId: string): Promise<Order["state"]> {
    for (;;) {
      const state = await this.#state(orderId);
      if (ended.has(state)) return state;
      await this.#pause(pollEveryMs);
    }
  }

  async #state(orderId: string): Promise<Order["state"]> {
    for (;;) {
      const answer = await this.#call(undefined, orderId, `/api/orders/${orderId}`, {});
      if (answer?.order !== undefined) return answer.order.state;
      await this.#pause(pollEveryMs);
    }
  }

  /** Undefined where no answer came. A look at the order is no operation of the history. */
  async #call(
    op: "pay" | "cancel" | undefined,
    orderId: string,
    path: string,
    init: RequestInit,
  ): Promise<{ readonly status: number; readonly order?: Order } | undefined> {
    const { url, signal, ticket } = this.#options;
    this.#enter("invoke", op, orderId);
    this.#counts.begun++;
    this.#counts.inFlight++;
    try {
      const response = await fetch(`${url}${path}`, {
        ...init,
        headers: { ...init.headers, authorization: `Bearer ${ticket.token}` },
        signal: AbortSignal.any([signal, AbortSignal.timeout(callTimeoutMs)]),
      });
      const answer: unknown = JSON.parse(await response.text());
      const { status } = response;
      this.#enter(response.ok ? "ok" : "fail", op, orderId, { status });
      if (response.ok) return { status, order: Order.parse(answer) };
      // 404: the order is made after the win was told. 503: the machine is busy, or the database away.
      if (![404, 408, 409, 429, 503].includes(status)) this.#counts.unexpected.push(`${op ?? "order"}: ${status}`);
      return { status };
    } catch (error) {
      signal.throwIfAborted();
      const refused = neverReached(error);
      if (refused) this.#counts.refused++;
      else this.#counts.lost++;
      this.#enter(refused ? "fail" : "info", op, orderId, { detail: String(error) });
      return undefined;
    } finally {
      this.#counts.inFlight--;
    }
  }

  #enter(
    type: "invoke" | "ok" | "fail" | "info",
    op: "pay" | "cancel" | undefined,
    key: string,
    told: { status?: number; detail?: string } = {},
  ): void {
    if (op === undefined) return;
    const { saleId, ticket, history } = this.#options;
    history.write({ process: ticket.userId, type, op, key, value: { saleId, userId: ticket.userId, ...told } });
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms * (1 + this.#options.random() * 0.3), undefined, { signal: this.#options.signal });
  }
}
