/**
 * Those who buy, from outside the machine: they try, try again elsewhere with the same key, pay, cancel, and ask until
 * they are told an end.
 *
 * What can go wrong: a shopper who is never told anything would pass every check of what was told; `outstanding` counts
 * those, and a healed system must bring it to 0. A call to a process that dies settles as gone.
 */
import {
  orderIdOf,
  type PaymentId,
  type PurchaseId,
  type PurchaseRequest,
  type PurchaseResult,
  paymentRequests,
  type SaleId,
  type SaleTerms,
  type UserId,
} from "@plateau/domain";
import { QueueError } from "queue-core";
import type { Random, World } from "queue-core/simulation";
import type { OpenGateway } from "./sale-system.ts";
import type { GatewayAnswer, SimulatedGateway } from "./simulated-gateway.ts";
import type { Tellings } from "./tellings.ts";
import type { TruthSettings } from "./truth-settings.ts";

export const saleId = "s_truth" as SaleId;

export interface ShopperParts {
  readonly world: World;
  readonly settings: TruthSettings;
  readonly tellings: Tellings;
  gateways(): readonly OpenGateway[];
  count(what: string): void;
}

/** Whether that gateway will do; where none does, any is asked. */
type Wanted = (gateway: string) => boolean;

const anywhere: Wanted = () => true;

type Won = PurchaseResult & { readonly reservation: NonNullable<PurchaseResult["reservation"]> };

export class Shoppers {
  readonly #parts: ShopperParts;
  readonly #random: Random;
  #outstanding = 0;
  readonly ids: PurchaseId[] = [];

  constructor(parts: ShopperParts) {
    this.#parts = parts;
    this.#random = parts.world.random.fork("shoppers");
  }

  get outstanding(): number {
    return this.#outstanding;
  }

  /** The sale is opened first, however often that takes. */
  start(): void {
    this.#begin("the sale opens", 0, async () => {
      await this.#openSale();
      const { shoppers, arriveWithinMs } = this.#parts.settings;
      for (let index = 0; index < shoppers; index++) {
        const random = this.#random.fork(`shopper ${index}`);
        this.#begin(`shopper ${index}`, random.between(0, arriveWithinMs), () => this.#shop(index, random));
      }
    });
  }

  #begin(name: string, afterMs: number, flow: () => Promise<void>): void {
    const { world } = this.#parts;
    this.#outstanding++;
    world.after(afterMs, name, () => {
      flow()
        .catch((error: unknown) =>
          world.fail("shoppers end well", `${name}: ${error instanceof Error ? error.stack : error}`),
        )
        .finally(() => this.#outstanding--);
    });
  }

  async #openSale(): Promise<void> {
    const { world, settings } = this.#parts;
    for (;;) {
      const opened = await this.#ask(this.#random, (gateway) => {
        const terms: SaleTerms = {
          saleId,
          productId: "kettle",
          title: "Kettle",
          priceCents: 1_999,
          stock: settings.stock,
          perUserLimit: 2,
          startsAtMs: gateway.queue.now() - 3_600_000,
          endsAtMs: gateway.queue.now() + 3_600_000,
          paymentTimeoutMs: settings.paymentTimeoutMs,
          decisionCostMs: 0,
        };
        return gateway.command({ type: "open-sale", saleId, terms });
      });
      if (opened?.type === "sale") return;
      await world.sleep(30, "the sale is not open yet");
    }
  }

  async #shop(index: number, random: Random): Promise<void> {
    const { settings } = this.#parts;
    const id = `${saleId}.p${index}` as PurchaseId;
    this.ids.push(id);
    const userId = `u_${index % settings.users}` as UserId;
    const home = `gateway${index % settings.gateways}`;
    const retries = random.integer(...settings.retries);
    for (let retry = 1; retry <= retries; retry++) {
      const stream = random.fork(`retry ${retry}`);
      this.#begin(`retry ${retry} of ${id}`, stream.between(0, settings.retryWithinMs), async () => {
        this.#parts.count("retries");
        await this.#buy(id, userId, stream, (name) => name !== home);
      });
    }
    await this.#buy(id, userId, random, (name) => name === home);
    const result = await this.#untilTold(id, userId, random);
    if (result.reservation === undefined) return;
    await this.#endReservation({ ...result, reservation: result.reservation }, random);
  }

  #buy(
    purchaseId: PurchaseId,
    userId: UserId,
    random: Random,
    isWanted: Wanted = anywhere,
  ): Promise<PurchaseResult | undefined> {
    const { settings } = this.#parts;
    const decideWithinMs = random.integer(...settings.decideWithinMs);
    const waitMs = random.between(...settings.waitMs);
    return this.#told(
      random,
      (gateway) => {
        const nowMs = gateway.queue.now();
        const request: PurchaseRequest = {
          type: "purchase",
          purchaseId,
          saleId,
          userId,
          quantity: 1,
          fingerprint: "q1",
          address: "192.0.2.1",
          requestedAtMs: nowMs,
          decideByMs: nowMs + decideWithinMs,
        };
        return gateway.buy(request, waitMs);
      },
      isWanted,
    );
  }

  /** Asks here and there; where nothing is known of it, tries again with the same key. */
  async #untilTold(id: PurchaseId, userId: UserId, random: Random): Promise<PurchaseResult> {
    const { world } = this.#parts;
    for (;;) {
      const told = await this.#told(random, (gateway) => gateway.look(saleId, id));
      if (told !== undefined) return told;
      await world.sleep(random.between(5, 150), "a shopper waits");
      if (random.chance(0.3)) await this.#buy(id, userId, random);
    }
  }

  async #endReservation(won: Won, random: Random): Promise<void> {
    const { world, settings } = this.#parts;
    const payments = random.integer(...settings.payments);
    for (let payment = 0; payment < payments; payment++) {
      const stream = random.fork(`payment ${payment}`);
      const dueMs = this.#untilDue(won) + stream.between(...settings.aroundDueMs);
      this.#begin(`payment ${payment} of ${won.purchaseId}`, dueMs, () => this.#pay(won, payment, stream));
    }
    if (random.chance(settings.cancelChance)) {
      const dueMs = this.#untilDue(won) + random.between(...settings.aroundDueMs);
      this.#begin(`cancellation of ${won.purchaseId}`, dueMs, () => this.#cancel(won, random.fork("cancel")));
    }
    for (;;) {
      const told = await this.#told(random, (gateway) => gateway.look(saleId, won.purchaseId));
      if (told?.reservation !== undefined && told.reservation.state !== "reserved") return;
      await world.sleep(random.between(10, 120), "a winner looks");
    }
  }

  #untilDue({ reservation }: Won): number {
    const nowMs = this.#parts.gateways()[0]?.gateway.queue.now() ?? reservation.payBeforeMs;
    return Math.max(0, reservation.payBeforeMs - nowMs);
  }

  /** Asked with the same id until it is stored. */
  async #pay({ reservation, userId, purchaseId }: Won, payment: number, random: Random): Promise<void> {
    const { world } = this.#parts;
    const paymentId = `p_${purchaseId}.${payment}` as PaymentId;
    for (;;) {
      const isStored = await this.#ask(random, async ({ queue }) => {
        const asked = {
          paymentId,
          orderId: orderIdOf(reservation.id),
          reservationId: reservation.id,
          saleId,
          userId,
          amountCents: 1_999,
          outcome: "succeed",
          requestedAtMs: queue.now(),
        } as const;
        await queue.publish(paymentRequests, asked, { id: paymentId });
        return true;
      });
      if (isStored === true) return;
      await world.sleep(random.between(1, 20), "a payment is asked again");
    }
  }

  async #cancel({ reservation, userId }: Won, random: Random): Promise<void> {
    await this.#told(random, async (gateway): Promise<GatewayAnswer> => {
      const reservationId = reservation.id;
      const reply = await gateway.command({ type: "cancel", saleId, reservationId, userId });
      return reply?.type === "reservation" ? { kind: "told", result: reply.result } : { kind: "nothing" };
    });
  }

  async #told(
    random: Random,
    call: (gateway: SimulatedGateway) => Promise<GatewayAnswer>,
    isWanted: Wanted = anywhere,
  ): Promise<PurchaseResult | undefined> {
    const askedAtMs = this.#parts.world.nowMs;
    let by = "";
    const answer = await this.#ask(
      random,
      (gateway, name) => {
        by = name;
        return call(gateway);
      },
      isWanted,
    );
    if (answer?.kind !== "told") return undefined;
    this.#parts.tellings.told(by, answer.result, askedAtMs);
    return answer.result;
  }

  /** Undefined where there is no gateway, it died before it answered, or it could not. */
  async #ask<T>(
    random: Random,
    call: (gateway: SimulatedGateway, name: string) => Promise<T>,
    isWanted: Wanted = anywhere,
  ): Promise<T | undefined> {
    const open = this.#parts.gateways();
    if (open.length === 0) return undefined;
    const wanted = open.filter(({ name }) => isWanted(name));
    const { gateway, process, name } = random.pick(wanted.length > 0 ? wanted : open);
    try {
      return await Promise.race([call(gateway, name), process.gate.ended.then(() => undefined)]);
    } catch (error) {
      if (error instanceof QueueError || "code" in Object(error)) return undefined;
      throw error;
    }
  }
}
