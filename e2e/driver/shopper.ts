/**
 * One shopper of a run with faults, as a careful client is written: one idempotency key for one purchase, repeated until
 * an answer comes, whatever happens to the server meanwhile; `Retry-After` is honoured; a 202 is followed up; only
 * after `expired` comes a new try with a new key.
 *
 * Every call is entered in the history before it is sent. A refused connection and a refusal that binds nothing are
 * `fail`, a lost answer is `info`, the rest is `ok`.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { HistoryEntry } from "@plateau/domain";
import { z } from "zod";
import type { HistoryFile } from "./history-file.ts";

/** The parts of an answer that matter: a Purchase, or a problem. */
const Answer = z.looseObject({
  id: z.string().optional(),
  state: z
    .enum(["queued", "won", "paid", "cancelled", "payment_expired", "sold_out", "rejected", "expired"])
    .optional(),
  reason: z.string().optional(),
  orderId: z.string().optional(),
  decidedAt: z.string().optional(),
  code: z.string().optional(),
  purchaseId: z.string().optional(),
  asOf: z.object({ position: z.int() }).optional(),
  etaMs: z.number().nullable().optional(),
});
type State = NonNullable<z.infer<typeof Answer>["state"]>;

export interface ShopperTicket {
  readonly userId: string;
  readonly token: string;
}

export interface ShopperOptions {
  readonly url: string;
  readonly saleId: string;
  readonly ticket: ShopperTicket;
  readonly key: string;
  readonly history: HistoryFile;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

/** What a shopper was told in the end. */
export interface ShopperEnd {
  readonly userId: string;
  readonly token: string;
  readonly key: string;
  readonly state: Exclude<State, "queued">;
  /** Absent where a sold-out hint said it all. */
  readonly purchaseId?: string;
  readonly orderId?: string;
  /** ISO time of the decision. */
  readonly decidedAt?: string;
}

/** Counts over all shoppers, to know that a fault really hit something. */
export interface CallCounts {
  begun: number;
  inFlight: number;
  lost: number;
  refused: number;
  readonly unexpected: string[];
}

/** Longer than the server holds a call. */
export const callTimeoutMs = 10_000;
const firstBackoffMs = 200;
const longestBackoffMs = 2_000;
/** Purchases, each with a key of its own, until one is decided in time. */
const triesMax = 5;
const stateOfCode: Readonly<Record<string, State>> = {
  "sold-out": "sold_out",
  expired: "expired",
  "risk-rejected": "rejected",
  "limit-reached": "rejected",
};

interface Heard {
  readonly state: State;
  readonly purchaseId?: string;
  readonly orderId?: string;
  readonly decidedAt?: string;
  /** While queued: when to ask again. */
  readonly askAfterMs: number;
}
type Step = Heard | { readonly waitMs: number };

export const noCalls = (): CallCounts => ({ begun: 0, inFlight: 0, lost: 0, refused: 0, unexpected: [] });

export class Shopper {
  readonly #options: ShopperOptions;
  readonly #counts: CallCounts;
  #key: string;

  constructor(options: ShopperOptions, counts: CallCounts) {
    this.#options = options;
    this.#key = options.key;
    this.#counts = counts;
  }

  /** Resolves with the final answer. Rejects when the signal says so. */
  async shop(): Promise<ShopperEnd> {
    let end = await this.#shopOnce();
    for (let tries = 1; end.state === "expired" && tries < triesMax; tries++) {
      // Nothing was reserved, and this key is used up.
      this.#key = `${this.#options.key}-${tries + 1}`;
      end = await this.#shopOnce();
    }
    return end;
  }

  async #shopOnce(): Promise<ShopperEnd> {
    let purchaseId: string | undefined;
    for (let failures = 0; ; ) {
      const step = purchaseId === undefined ? await this.buy() : await this.lookUp(purchaseId);
      if ("waitMs" in step) {
        await this.#pause(Math.max(step.waitMs, Math.min(firstBackoffMs * 2 ** failures++, longestBackoffMs)));
        continue;
      }
      failures = 0;
      if (step.state !== "queued") return this.#endOf({ ...step, state: step.state });
      purchaseId = step.purchaseId;
      await this.#pause(step.askAfterMs);
    }
  }

  buy(): Promise<Step> {
    const { saleId, ticket } = this.#options;
    const key = this.#key;
    return this.#call("purchase", key, `/api/sales/${saleId}/purchases`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${ticket.token}`,
        "idempotency-key": key,
        "content-type": "application/json",
      },
      body: "{}",
    });
  }

  lookUp(purchaseId: string): Promise<Step> {
    const { token } = this.#options.ticket;
    return this.#call("look-up", purchaseId, `/api/purchases/${purchaseId}`, {
      headers: { authorization: `Bearer ${token}` },
    });
  }

  #endOf({ askAfterMs: _, ...heard }: Heard & { state: ShopperEnd["state"] }): ShopperEnd {
    return { ...this.#options.ticket, key: this.#key, ...heard };
  }

  async #call(op: HistoryEntry["op"], key: string, path: string, init: RequestInit): Promise<Step> {
    const { url, signal } = this.#options;
    this.#enter("invoke", op, key);
    this.#counts.begun++;
    this.#counts.inFlight++;
    try {
      const response = await fetch(`${url}${path}`, {
        ...init,
        signal: AbortSignal.any([signal, AbortSignal.timeout(callTimeoutMs)]),
      });
      const text = await response.text();
      return this.#hear(op, key, response, Answer.parse(JSON.parse(text)));
    } catch (error) {
      signal.throwIfAborted();
      const refused = neverReached(error);
      if (refused) this.#counts.refused++;
      else this.#counts.lost++;
      this.#enter(refused ? "fail" : "info", op, key, { detail: String(error) });
      return { waitMs: 0 };
    } finally {
      this.#counts.inFlight--;
    }
  }

  #hear(op: HistoryEntry["op"], key: string, response: Response, answer: z.infer<typeof Answer>): Step {
    const { status } = response;
    const purchaseId = answer.id ?? answer.purchaseId;
    const state = answer.state ?? stateOfCode[answer.code ?? ""];
    const bound = purchaseId !== undefined || state === "sold_out";
    if (state !== undefined && bound) {
      const hint = purchaseId === undefined && answer.asOf !== undefined ? { hintedAt: answer.asOf.position } : {};
      const named = purchaseId === undefined ? {} : { purchaseId };
      this.#enter("ok", op, key, { ...named, ...hint, state, status });
      const { orderId, decidedAt } = answer;
      const askAfterMs = Math.min(Math.max(answer.etaMs ?? 1_000, 1_000), 3_000);
      return { state, ...named, askAfterMs, ...(orderId && { orderId }), ...(decidedAt && { decidedAt }) };
    }
    this.#enter("fail", op, key, { status, ...(answer.code === undefined ? {} : { code: answer.code }) });
    const retryAfterS = Number(response.headers.get("retry-after"));
    // 408: the machine was too busy to read the request. A 404 is none of them: a server that starts again listens
    // once it has found the purchases of the log.
    const mayComeBack = [408, 429, 503].includes(status);
    if (!mayComeBack) this.#counts.unexpected.push(`${op}: ${status} ${answer.code ?? ""}`);
    return { waitMs: retryAfterS > 0 ? retryAfterS * 1_000 : 0 };
  }

  #enter(
    type: HistoryEntry["type"],
    op: HistoryEntry["op"],
    key: string,
    told: Omit<NonNullable<HistoryEntry["value"]>, "saleId" | "userId"> = {},
  ): void {
    const { saleId, ticket, history } = this.#options;
    history.write({ process: ticket.userId, type, op, key, value: { saleId, userId: ticket.userId, ...told } });
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms * (1 + this.#options.random() * 0.3), undefined, { signal: this.#options.signal });
  }
}

/** The connection was refused: nobody can have read the request. */
export function neverReached(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && "code" in cause && cause.code === "ECONNREFUSED";
}
