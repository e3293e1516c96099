/**
 * Payments as the payment consumers make them, with a provider that outlives every crash.
 *
 *   payment-requests ──► provider holds the money ──► `pay` ──► stock ──┬── sold ────────► capture
 *                                                                      └── pay-refused ─► void
 *
 * What can go wrong: money is taken for a reservation that ended otherwise, or let go for one that is sold. Both
 * halves may run any number of times; the provider knows a payment by its id and settles it once.
 */
import {
  groups,
  type PaymentId,
  type PaymentRequest,
  paymentRequests,
  type ReservationEvent,
  type ReservationId,
  reservations,
  type StockCommand,
  stockCommands,
} from "@plateau/domain";
import { done, type Queue, retry } from "queue-core";
import type { SimulatedProcess, World } from "queue-core/simulation";
import type { PlantedFault } from "./truth-settings.ts";

export interface HeldPayment {
  readonly paymentId: PaymentId;
  readonly reservationId: ReservationId;
  state: "authorised" | "captured" | "voided";
}

export class PaymentProvider {
  readonly #world: World;
  readonly #payments = new Map<PaymentId, HeldPayment>();

  constructor(world: World) {
    this.#world = world;
  }

  get payments(): readonly HeldPayment[] {
    return [...this.#payments.values()];
  }

  authorise({ paymentId, reservationId }: PaymentRequest): void {
    if (this.#payments.has(paymentId)) return;
    this.#payments.set(paymentId, { paymentId, reservationId, state: "authorised" });
  }

  settle(paymentId: PaymentId, as: "captured" | "voided"): void {
    const payment = this.#payments.get(paymentId);
    if (payment === undefined) {
      this.#world.fail("only held money is settled", `${paymentId} is ${as}`);
      return;
    }
    if (payment.state !== "authorised" && payment.state !== as)
      this.#world.fail("a payment is settled one way", `${paymentId} is ${payment.state}, and now ${as}`);
    payment.state = as;
  }
}

export interface OfficeParts {
  readonly queue: Queue;
  readonly provider: PaymentProvider;
  readonly planted: PlantedFault["office"];
  /** Called when `pay` is on its way. */
  paying(): void;
}

/** Tried for as long as a run lasts: nobody looks at dead letters here. */
const maxAttempts = 10_000;

export async function openPaymentOffice(parts: OfficeParts, process: SimulatedProcess): Promise<void> {
  const { queue, provider, planted, paying } = parts;
  const { timers, random, name } = process;
  await queue.consume<PaymentRequest>({
    group: groups.payment,
    topic: paymentRequests,
    member: `${name}-authorise`,
    maxAttempts,
    maxBatch: 1,
    handle: async ([message]) => {
      if (message === undefined) return done;
      const { saleId, reservationId, paymentId } = message.value;
      provider.authorise(message.value);
      if (random.chance(0.5)) await timers.sleep(random.between(0, 10));
      const command: StockCommand = { type: "pay", saleId, reservationId, paymentId };
      if (planted === "captures at once") provider.settle(paymentId, "captured");
      paying();
      try {
        await queue.publish(stockCommands, command, { id: `pay:${paymentId}` });
        return done;
      } catch (error) {
        return retry({ error, afterMs: 20 });
      }
    },
  });
  await queue.consume<ReservationEvent>({
    group: groups.payment,
    topic: reservations,
    member: `${name}-settle`,
    maxAttempts,
    handle: async (batch) => {
      for (const { value } of batch) {
        if (value.type === "sold") provider.settle(value.paymentId, "captured");
        if (value.type === "pay-refused") provider.settle(value.paymentId, "voided");
        if (random.chance(0.2)) await timers.sleep(random.between(0, 10));
      }
      return done;
    },
  });
}
