/**
 * The five steps of a purchase: risk control (风控), stock locking (锁定库存), order, SMS, statistics. The first two
 * decide it; whoever got through them has bought, however long the others take.
 *
 * What can go wrong: a step is slow, or its answer is lost. Order, SMS and statistics may therefore be repeated: they
 * know a purchase by its id and do their work for it once. Locking stock is no such step: a repeat takes a second
 * unit, so nobody repeats it.
 */
import { setTimeout as delay } from "node:timers/promises";
import { Pool } from "undici";
import type { LabDatabase } from "./lab-database.ts";
import { Slots } from "./slots.ts";
import type { Purchase, WaySettings } from "./way.ts";

/** From here on the score means fraud. */
const refusedFrom = 0.9;
const againAfterMs = 100;
const triesMax = 20;

export class Steps {
  readonly #database: LabDatabase;
  readonly #provider: Pool;
  readonly #riskSlots: Slots;
  readonly #smsSlots: Slots;

  constructor(parts: { readonly database: LabDatabase; readonly sandboxUrl: string; readonly settings: WaySettings }) {
    const { riskConnections, smsConnections } = parts.settings;
    this.#database = parts.database;
    this.#riskSlots = new Slots(riskConnections);
    this.#smsSlots = new Slots(smsConnections);
    this.#provider = new Pool(new URL(parts.sandboxUrl).origin, { connections: riskConnections + smsConnections });
  }

  /** Step 1. False: risk control says no. Rejects with TooLate in the line before the scorer. */
  async passesRisk({ userId, deviceId }: Purchase, deadlineMs: number): Promise<boolean> {
    const subjects = [{ id: "0", userId, deviceId, address: "127.0.0.1" }];
    const answer = await this.#riskSlots.run(() => this.#call("/risk/scores", { subjects }), deadlineMs);
    const { scores } = answer as { scores: readonly { readonly score: number }[] };
    return (scores[0]?.score ?? 1) < refusedFrom;
  }

  /** Step 2. False: sold out. Rejects with TooLate in the line before the database; then no unit was taken. */
  async locksStock({ saleId }: Purchase, deadlineMs: number): Promise<boolean> {
    const taken = await this.#database.query(
      "UPDATE stock SET available = available - 1 WHERE sale_id = $1 AND available > 0 RETURNING available",
      [saleId],
      deadlineMs,
    );
    return taken.length === 1;
  }

  /** Undoes step 2. */
  async givesBackStock({ saleId }: Purchase): Promise<void> {
    await this.#database.query("UPDATE stock SET available = available + 1 WHERE sale_id = $1", [saleId]);
  }

  /** Step 3, for any number in one transaction. */
  async writesOrders(purchases: readonly Purchase[]): Promise<void> {
    await this.#database.query(
      `INSERT INTO orders SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) ON CONFLICT DO NOTHING`,
      [purchases.map(({ id }) => id), purchases.map(({ saleId }) => saleId), purchases.map(({ userId }) => userId)],
    );
  }

  /** Step 4. The provider knows a repeat by its key. */
  async sendsSms({ id, userId }: Purchase): Promise<void> {
    await this.#smsSlots.run(() => this.#call("/sms", { to: userId, text: "It is yours" }, id));
  }

  /** Step 5. What was counted before is not counted again. */
  async counts(purchases: readonly Purchase[]): Promise<void> {
    await this.#database.query(
      `WITH fresh AS (
         INSERT INTO counted SELECT unnest($1::text[]) ON CONFLICT DO NOTHING RETURNING purchase_id)
       INSERT INTO statistics AS kept SELECT sale_id, count(*) FROM unnest($1::text[], $2::text[]) AS asked (id, sale_id)
         JOIN fresh ON fresh.purchase_id = asked.id GROUP BY sale_id
       ON CONFLICT (sale_id) DO UPDATE SET won = kept.won + excluded.won`,
      [purchases.map(({ id }) => id), purchases.map(({ saleId }) => saleId)],
    );
  }

  async stop(): Promise<void> {
    await this.#provider.destroy();
  }

  async #call(path: string, body: object, idempotencyKey?: string): Promise<unknown> {
    const answer = await this.#provider.request({
      method: "POST",
      path,
      headers: {
        "content-type": "application/json",
        ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
      },
      body: JSON.stringify(body),
    });
    if (answer.statusCode < 300) return answer.body.json();
    await answer.body.dump();
    throw new Error(`the provider answered ${answer.statusCode} to ${path}`);
  }
}

/** Repeats a step that may be repeated, while it fails. Rejects with its error in the end. */
export async function insistOn(step: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await step();
    } catch (error) {
      if (tries === triesMax) throw error;
      await delay(againAfterMs);
    }
  }
}
