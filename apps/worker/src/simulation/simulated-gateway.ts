/**
 * A gateway by the truth rules, without HTTP: the result first, then a publish with the address for the reply, and
 * what does not come back is looked up or resolved, never guessed.
 *
 *     buy ──► known? ──► on its way? ──► publish ──┬── not stored ──► refused, for nobody was promised anything
 *                                                  └── stored, or perhaps ──► reply, look-up or `resolve` ends it
 *
 * What can go wrong: the publish has an unknown outcome; the reply is lost with its link; the process dies with
 * everything it waited for, and another gateway is asked.
 */
import {
  groups,
  type PurchaseId,
  type PurchaseRequest,
  type PurchaseResult,
  purchaseRequests,
  type RequestMessage,
  type SaleId,
  type StockCommand,
  type StockReply,
  stockCommands,
  stockKeys,
} from "@plateau/domain";
import { type Queue, QueueError, type Requester, type StateView, type Timers } from "queue-core";
import type { PlantedFault } from "./truth-settings.ts";

export type GatewayAnswer =
  | { readonly kind: "told"; readonly result: PurchaseResult }
  | { readonly kind: "queued" }
  /** Certainly not stored, or nothing known of it here. */
  | { readonly kind: "nothing" };

interface Pending {
  readonly request: PurchaseRequest;
  stage: "admitting" | "published" | "refused" | "ended";
  /** Somebody was answered "queued". */
  told: boolean;
  result: PurchaseResult | undefined;
  resolvedAtMs: number;
  readonly waiting: Set<() => void>;
}

export interface GatewayParts {
  readonly queue: Queue;
  readonly timers: Timers;
  readonly planted: PlantedFault["gateway"];
  /** Counts what happened here. */
  count(what: string): void;
}

const sweepEveryMs = 40;
const resolveAgainMs = 600;
const replyGraceMs = 200;
const commandWaitMs = 300;

export class SimulatedGateway {
  readonly queue: Queue;
  readonly #parts: GatewayParts;
  readonly #requester: Requester;
  readonly #stock: StateView;
  readonly #pending = new Map<PurchaseId, Pending>();

  private constructor(parts: GatewayParts, requester: Requester) {
    this.queue = parts.queue;
    this.#parts = parts;
    this.#requester = requester;
    this.#stock = parts.queue.state(groups.stock, stockCommands);
    this.#sweepLater();
  }

  static async open(parts: GatewayParts): Promise<SimulatedGateway> {
    return new SimulatedGateway(parts, await parts.queue.requester());
  }

  /** A try: another one with the same id joins it, or finds its result. */
  async buy(request: PurchaseRequest, waitMs: number): Promise<GatewayAnswer> {
    const { purchaseId, saleId } = request;
    const joined = this.#pending.get(purchaseId);
    if (joined !== undefined) return this.#answer(joined, waitMs);
    const pending: Pending = {
      request,
      stage: "admitting",
      told: false,
      result: undefined,
      resolvedAtMs: Number.NEGATIVE_INFINITY,
      waiting: new Set(),
    };
    this.#pending.set(purchaseId, pending);
    try {
      const known = await this.#lookUp(saleId, purchaseId);
      if (known !== undefined) this.#end(pending, known);
      else this.#publish(pending);
    } catch {
      this.#refuse(pending);
    }
    return this.#answer(pending, waitMs);
  }

  async look(saleId: SaleId, id: PurchaseId): Promise<GatewayAnswer> {
    // Asked before the look-up: it cannot end unseen between the two.
    const pending = this.#pending.get(id);
    const result = await this.#lookUp(saleId, id);
    if (result !== undefined) return { kind: "told", result };
    if (pending === undefined || pending.stage === "refused") return { kind: "nothing" };
    this.#resolveWhenOverdue(pending);
    return this.#answer(pending, 0);
  }

  /** Undefined where no answer came. */
  async command(command: StockCommand): Promise<StockReply | undefined> {
    const { reply } = this.#requester.send<StockCommand, StockReply>(stockCommands, command, {
      timeoutMs: commandWaitMs,
    });
    return reply.catch((error: unknown) => {
      if (error instanceof QueueError) return undefined;
      throw error;
    });
  }

  /** Told by somebody else than the log. */
  heard(result: PurchaseResult): void {
    const pending = this.#pending.get(result.purchaseId);
    if (pending !== undefined) this.#end(pending, result);
  }

  #publish(pending: Pending): void {
    const { request } = pending;
    const timeoutMs = Math.max(0, request.decideByMs - this.queue.now()) + replyGraceMs;
    const { published, reply } = this.#requester.send<RequestMessage, StockReply>(purchaseRequests, request, {
      timeoutMs,
    });
    published.then(
      () => this.#published(pending),
      (error: unknown) => {
        if (error instanceof QueueError && error.outcome === "not_stored") {
          this.#refuse(pending);
          return;
        }
        this.#parts.count("unknown publishes");
        this.#published(pending);
      },
    );
    reply.then(
      (answer) => {
        if (answer.type === "result") this.#end(pending, answer.result);
      },
      () => undefined, // Looked up once it is overdue.
    );
  }

  async #lookUp(saleId: SaleId, id: PurchaseId): Promise<PurchaseResult | undefined> {
    const result = await this.#stock.get<PurchaseResult>(saleId, stockKeys.result(id));
    const pending = this.#pending.get(id);
    if (result !== undefined && pending?.stage === "published") this.#end(pending, result);
    return result;
  }

  #sweepLater(): void {
    this.#parts.timers.after(sweepEveryMs, () => {
      this.#sweep()
        .catch(() => undefined) // The engine is failing: the next one.
        .finally(() => this.#sweepLater());
    });
  }

  async #sweep(): Promise<void> {
    for (const pending of [...this.#pending.values()]) {
      const { request } = pending;
      if (request.decideByMs > this.queue.now()) continue;
      if ((await this.#lookUp(request.saleId, request.purchaseId)) === undefined) this.#resolveWhenOverdue(pending);
    }
  }

  #resolveWhenOverdue(pending: Pending): void {
    const { request } = pending;
    const nowMs = this.queue.now();
    if (pending.stage !== "published" || request.decideByMs > nowMs) return;
    if (this.#parts.planted === "tells expired by itself") {
      this.#end(pending, guessOf(request));
      return;
    }
    if (pending.resolvedAtMs + resolveAgainMs > nowMs) return;
    pending.resolvedAtMs = nowMs;
    this.#parts.count("resolves");
    const { purchaseId, saleId, userId } = request;
    const { reply } = this.#requester.send<RequestMessage, StockReply>(
      purchaseRequests,
      { type: "resolve", purchaseId, saleId, userId },
      { timeoutMs: resolveAgainMs },
    );
    reply.then(
      (answer) => {
        if (answer.type === "result") this.#end(pending, answer.result);
      },
      () => undefined, // It is repeated.
    );
  }

  async #answer(pending: Pending, waitMs: number): Promise<GatewayAnswer> {
    await this.#changes(pending, () => pending.stage !== "admitting", Number.POSITIVE_INFINITY);
    await this.#changes(pending, () => pending.stage !== "published", waitMs);
    if (pending.result !== undefined) return { kind: "told", result: pending.result };
    if (pending.stage === "refused") return { kind: "nothing" };
    pending.told = true;
    return { kind: "queued" };
  }

  #changes(pending: Pending, isEnough: () => boolean, withinMs: number): Promise<void> {
    if (isEnough() || withinMs <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = (): void => {
        cancel();
        pending.waiting.delete(look);
        resolve();
      };
      const look = (): void => {
        if (isEnough()) finish();
      };
      const cancel = Number.isFinite(withinMs) ? this.#parts.timers.after(withinMs, finish) : () => undefined;
      pending.waiting.add(look);
    });
  }

  #published(pending: Pending): void {
    if (pending.stage === "admitting") this.#become(pending, "published");
  }

  #refuse(pending: Pending): void {
    if (pending.stage !== "admitting") return;
    if (!pending.told) this.#pending.delete(pending.request.purchaseId);
    this.#become(pending, pending.told ? "published" : "refused");
  }

  #end(pending: Pending, result: PurchaseResult): void {
    if (pending.stage === "ended" || pending.stage === "refused") return;
    pending.result = result;
    this.#pending.delete(result.purchaseId);
    this.#become(pending, "ended");
  }

  #become(pending: Pending, stage: Pending["stage"]): void {
    pending.stage = stage;
    for (const look of [...pending.waiting]) look();
  }
}

/** What a gateway would make up that does not ask. */
function guessOf({ purchaseId, saleId, userId, quantity, fingerprint, decideByMs }: PurchaseRequest): PurchaseResult {
  return {
    purchaseId,
    saleId,
    userId,
    quantity,
    fingerprint,
    outcome: "expired",
    decidedAtMs: decideByMs,
    position: -1,
  };
}
