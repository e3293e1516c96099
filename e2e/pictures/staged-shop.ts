/**
 * A shop as a visitor meets it at a good moment: one sale runs and has sold some, others follow on the timetable, one
 * is gone. Made over the operations' API, so that each picture shows what really happened.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { System } from "@plateau/demo";
import { type OpsSaleBody, OpsShoppers, Products, Sale, type SpikeScenarioId, Spikes } from "@plateau/domain";
import { z } from "zod";

const minuteMs = 60_000;
const lookEveryMs = 250;

export class StagedShop {
  readonly #system: System;

  constructor(system: System) {
    this.#system = system;
  }

  get url(): string {
    return this.#system.url;
  }

  get adminToken(): string {
    return this.#system.adminToken;
  }

  /** What the shop's first page shows. */
  async fill(): Promise<void> {
    const lasts = (startMs: number) => ({
      startsAt: new Date(startMs).toISOString(),
      endsAt: new Date(startMs + 5 * minuteMs).toISOString(),
    });
    const nextHourMs = Math.ceil(Date.now() / (5 * minuteMs)) * 5 * minuteMs + 5 * minuteMs;
    const following = ["enamel-kettle", "trail-shoe", "field-radio", "cast-iron-pan", "down-jacket"];
    const gone = await this.open({ productId: "headlamp", stock: 12, ...lasts(Date.now() - minuteMs) });
    await this.ask(gone.id, 14);
    await this.untilGone(gone.id);
    for (const [index, productId] of following.entries()) {
      await this.open({ productId, stock: 40 * (index + 2), ...lasts(nextHourMs + index * 5 * minuteMs) });
    }
    const lead = await this.open({ productId: "film-camera", stock: 240, ...lasts(Date.now()), house: true });
    await this.ask(lead.id, 152);
  }

  /** At six tenths of the product's price, as the house does it. */
  async open(wish: OpsSaleBody & { readonly productId: string }): Promise<Sale> {
    const { products } = await this.get(Products, "/api/products");
    const product = products.find(({ id }) => id === wish.productId);
    if (product === undefined) throw new Error(`there is no product ${wish.productId}`);
    const priceCents = Math.round((product.priceCents * 0.6) / 100) * 100;
    return this.#send(Sale, "/api/ops/sales", { priceCents, title: product.title, ...wish });
  }

  /** So many shoppers ask for a unit each; answered before they are decided. */
  async ask(saleId: string, count: number): Promise<void> {
    const { shoppers } = await this.#send(OpsShoppers, "/api/ops/shoppers", { count });
    const asked = shoppers.map(async ({ token }) => {
      await this.#fetch(`/api/sales/${saleId}/purchases`, token, {
        method: "POST",
        body: "{}",
        prefer: "respond-async",
      });
    });
    await Promise.all(asked);
  }

  async play(scenario: SpikeScenarioId): Promise<void> {
    await this.#send(z.unknown(), "/api/ops/spikes", { scenario });
  }

  /** Until the spike that plays is in this state; throws when it failed. */
  async untilSpike(state: "draining" | "ended"): Promise<void> {
    await this.until(`the spike is ${state}`, async () => {
      const { current } = await this.get(Spikes, "/api/ops/spikes");
      if (current?.state === "failed") throw new Error(`the spike failed: ${current.problem}`);
      return current?.state === state || current?.state === "ended";
    });
  }

  /** Runs lesson 01's four ways, which takes about a minute. */
  async runFourWays(): Promise<void> {
    const Report = z.object({ state: z.string() });
    await this.#send(z.unknown(), "/api/ops/four-ways", { seed: 1 });
    await this.until("the four ways have run", async () => {
      const { state } = await this.get(Report, "/api/ops/four-ways");
      return state !== "running" && state !== "starting";
    });
  }

  async get<Schema extends z.ZodType>(schema: Schema, path: string): Promise<z.infer<Schema>> {
    return schema.parse(await (await this.#fetch(path, this.adminToken, {})).json());
  }

  /** Looks again and again, for at most three minutes. */
  async until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    const untilMs = performance.now() + 3 * minuteMs;
    while (!(await isSo())) {
      if (performance.now() > untilMs) throw new Error(`waited in vain until ${what}`);
      await sleep(lookEveryMs);
    }
  }

  untilGone(saleId: string): Promise<void> {
    return this.until("the sale is sold out", async () => {
      const { available } = await this.get(Sale, `/api/sales/${saleId}`);
      return available === 0;
    });
  }

  async #send<Schema extends z.ZodType>(schema: Schema, path: string, body: unknown): Promise<z.infer<Schema>> {
    const response = await this.#fetch(path, this.adminToken, { method: "POST", body: JSON.stringify(body) });
    return schema.parse(await response.json());
  }

  async #fetch(path: string, token: string, call: { method?: string; body?: string; prefer?: string }) {
    const { method = "GET", body, prefer } = call;
    const response = await fetch(new URL(path, this.url), {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(prefer === undefined ? {} : { prefer }),
      },
      ...(body === undefined ? {} : { body }),
    });
    // A sold-out sale refuses with 409, as it should.
    if (!response.ok && response.status !== 409) {
      throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    }
    return response;
  }
}
