/** The calls that a driver makes beside those of its shoppers: operations, orders, the provider's ledger. */
import { setTimeout as sleep } from "node:timers/promises";
import type { System } from "@plateau/demo";
import { AuditReport, SaleStatistics } from "@plateau/domain";
import { z } from "zod";
import type { ShopperEnd } from "./shopper.ts";

const SentSms = z.object({ messages: z.array(z.object({ key: z.string() })), next: z.int().nullable() });

export class Api {
  readonly #system: Pick<System, "url" | "adminToken" | "sandboxUrl">;
  readonly #signal: AbortSignal;

  constructor(system: Pick<System, "url" | "adminToken" | "sandboxUrl">, signal: AbortSignal) {
    this.#system = system;
    this.#signal = signal;
  }

  ops<T>(schema: z.ZodType<T>, what: "shoppers" | "sales", body: unknown): Promise<T> {
    return this.#ask(schema, `/api/ops/${what}`, {
      method: "POST",
      headers: { authorization: `Bearer ${this.#system.adminToken}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  }

  /** Changes settings of the running system. */
  async change(knobs: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#fetch("/api/ops/knobs", {
      method: "PATCH",
      headers: { authorization: `Bearer ${this.#system.adminToken}`, "content-type": "application/json" },
      body: JSON.stringify(knobs),
    });
  }

  get<T>(schema: z.ZodType<T>, path: string, token?: string): Promise<T> {
    return this.#ask(schema, path, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });
  }

  audit(saleId: string, history: string): Promise<AuditReport> {
    return this.#ask(AuditReport, `/api/ops/audit?saleId=${saleId}`, {
      method: "POST",
      headers: { authorization: `Bearer ${this.#system.adminToken}`, "content-type": "application/x-ndjson" },
      body: history,
    });
  }

  auditOfAll(): Promise<AuditReport> {
    return this.#ask(AuditReport, "/api/ops/audit", {
      headers: { authorization: `Bearer ${this.#system.adminToken}` },
    });
  }

  /** Arrivals are published by the second: waits until they have caught up with the requests, for at most 30 s. */
  async countedStatistics(saleId: string): Promise<SaleStatistics> {
    const untilMs = performance.now() + 30_000;
    for (;;) {
      const statistics = await this.get(SaleStatistics, `/api/sales/${saleId}/statistics`);
      const { arrivals, requests } = statistics.totals;
      if (arrivals >= requests || performance.now() > untilMs) return statistics;
      await sleep(200, undefined, { signal: this.#signal });
    }
  }

  /** From the provider's own ledger, whatever the inbox says. */
  async sentSms(): Promise<readonly string[]> {
    const keys: string[] = [];
    for (let after: number | null = 0; after !== null; ) {
      const response = await fetch(`${this.#system.sandboxUrl}/sms?prefix=o_&after=${after}`, { signal: this.#signal });
      const { messages, next } = SentSms.parse(await response.json());
      keys.push(...messages.map(({ key }) => key));
      after = next;
    }
    return keys;
  }

  /** How many orders or messages each shopper sees, by user id; waits until everybody has one, for at most 30 s. */
  async countsOf(shoppers: readonly ShopperEnd[], what: "orders" | "messages"): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    const untilMs = performance.now() + 30_000;
    for (const { userId, token } of shoppers) {
      for (;;) {
        const list = await this.#list(`/api/${what}`, token);
        counts.set(userId, list.length);
        if (list.length > 0 || performance.now() > untilMs) break;
        await sleep(100, undefined, { signal: this.#signal });
      }
    }
    return counts;
  }

  async #list(path: string, token: string): Promise<readonly unknown[]> {
    const answer = await this.#fetch(path, { headers: { authorization: `Bearer ${token}` } });
    const list = Array.isArray(answer) ? answer : Object.values(answer as Record<string, unknown>).find(Array.isArray);
    if (list === undefined) throw new Error(`${path} answered no list`);
    return list;
  }

  async #ask<T>(schema: z.ZodType<T>, path: string, init: RequestInit): Promise<T> {
    return schema.parse(await this.#fetch(path, init));
  }

  async #fetch(path: string, init: RequestInit): Promise<unknown> {
    const response = await fetch(`${this.#system.url}${path}`, { ...init, signal: this.#signal });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text.slice(0, 300)}`);
    return JSON.parse(text);
  }
}
