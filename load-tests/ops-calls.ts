/** The control room's calls that the runner makes. */
import { AuditReport, Knobs, OpsShoppers, Sale } from "@plateau/domain";
import type { z } from "zod";
import type { Plan } from "./k6/plan.ts";
import type { Target } from "./target.ts";

const shoppersPerCall = 5_000;
/** The audit may wait for consumers to catch up. */
const callWithinMs = 120_000;

export class OpsCalls {
  readonly #target: Target;

  constructor(target: Target) {
    this.#target = target;
  }

  async openSale({ stock }: Plan): Promise<string> {
    return (await this.#ask(Sale, "POST", "/api/ops/sales", { title: "Load test", stock })).id;
  }

  async makeShoppers(count: number): Promise<z.infer<typeof OpsShoppers>["shoppers"]> {
    const shoppers: z.infer<typeof OpsShoppers>["shoppers"] = [];
    while (shoppers.length < count) {
      const body = { count: Math.min(shoppersPerCall, count - shoppers.length) };
      shoppers.push(...(await this.#ask(OpsShoppers, "POST", "/api/ops/shoppers", body)).shoppers);
    }
    return shoppers;
  }

  /** Returns how to put the settings back. */
  async changeKnobs(wanted: Plan["knobs"]): Promise<() => Promise<void>> {
    if (Object.keys(wanted).length === 0) return async () => {};
    const before = await this.#ask(Knobs, "GET", "/api/ops/knobs");
    await this.#ask(Knobs, "PATCH", "/api/ops/knobs", wanted);
    return async () => {
      await this.#ask(Knobs, "PATCH", "/api/ops/knobs", before);
    };
  }

  audit(saleId: string): Promise<AuditReport> {
    return this.#ask(AuditReport, "GET", `/api/ops/audit?saleId=${saleId}`);
  }

  async #ask<T>(schema: z.ZodType<T>, method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.#target.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#target.adminToken}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(callWithinMs),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text.slice(0, 300)}`);
    return schema.parse(JSON.parse(text));
  }
}
