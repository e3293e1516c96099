/** Shoppers for spikes: made once, and kept, so that the next spike begins sooner and fills no table. */
import { randomBytes } from "node:crypto";
import { newUserId } from "@plateau/domain";
import type { Database } from "@plateau/prisma";
import type { SessionTokens } from "../session/session-tokens.ts";

/** Signing takes some 0.1 ms each: few enough at once that a sale beside it does not wait. */
const madeAtOnce = 50;

export class SpikeShoppers {
  readonly #db: Database;
  readonly #sessions: SessionTokens;
  readonly #tokens: string[] = [];

  constructor(parts: { readonly db: Database; readonly sessions: SessionTokens }) {
    this.#db = parts.db;
    this.#sessions = parts.sessions;
  }

  /** The tokens of so many; rejects where the database takes them not, or the signal aborts. */
  async take(count: number, signal: AbortSignal): Promise<readonly string[]> {
    while (this.#tokens.length < count) {
      signal.throwIfAborted();
      await this.#make(Math.min(madeAtOnce, count - this.#tokens.length));
    }
    return this.#tokens.slice(0, count);
  }

  async #make(count: number): Promise<void> {
    const batch = randomBytes(3).toString("hex");
    const users = Array.from({ length: count }, (_, index) => ({
      id: newUserId(),
      name: `Shopper ${batch}-${index + 1}`,
      simulated: true,
    }));
    await this.#db.user.createMany({ data: users });
    const signed = await Promise.all(users.map(({ id, name }) => this.#sessions.sign({ userId: id, name })));
    this.#tokens.push(...signed.map(({ token }) => token));
  }
}
