/** What the four ways have in common: who asks, what may become of it, what they work on, what they have to offer. */
import type { PurchaseId } from "@plateau/domain";
import type { Queue, Topic } from "queue-core";
import type { Steps } from "./steps.ts";

/** One shopper's try. Plain data, since some ways send it through a queue. */
export interface Purchase {
  readonly id: PurchaseId;
  readonly saleId: string;
  readonly userId: string;
  /** As the shopper's program gives it; risk control knows some by their look. */
  readonly deviceId: string;
}

/**
 * How a purchase ended. `refused` alone binds nothing: the same shopper may try again, and nothing was done for this
 * try. `expired`: nobody came to it in time, and nothing was done either.
 */
export type Decision =
  | { readonly state: "won" | "sold_out" | "rejected" | "expired" }
  | { readonly state: "refused"; readonly problem: "throttled" | "overloaded"; readonly retryAfterMs: number };

export const won: Decision = { state: "won" };
export const soldOut: Decision = { state: "sold_out" };
export const rejected: Decision = { state: "rejected" };
export const expired: Decision = { state: "expired" };

/** The same for all four ways, so that nothing but the way differs. */
export interface WaySettings {
  /** How long a call is held for a decision; after it the answer is 202. */
  readonly waitMs: number;
  /** A purchase that nobody came to by then is not begun any more. */
  readonly decideWithinMs: number;
  /** Connections that the risk scorer grants, one person a call. */
  readonly riskConnections: number;
  readonly riskLatencyMs: number;
  readonly smsConnections: number;
  readonly smsLatencyMs: number;
  readonly databaseConnections: number;
  /** What a commit waits for its second copy, with its locks held. */
  readonly commitWaitMs: number;
  /** Of the token bucket. */
  readonly tokensPerSecond: number;
  readonly tokenBurst: number;
  /** Undecided requests that the request queue takes: what can be decided before the deadline. */
  readonly queueRoom: number;
}

export interface Ground {
  readonly saleId: string;
  readonly stock: number;
  readonly settings: WaySettings;
  readonly steps: Steps;
  /** A log of this way's own. Stopped with the way. */
  openQueue(topics: readonly Topic<never>[]): Promise<Queue>;
  /** Units that the database says nobody has. */
  unitsInDatabase(): Promise<number>;
}

/** A way that serves. */
export interface RunningWay {
  readonly url: string;
  /** Shoppers who came and are not decided. */
  backlog(): number;
  /** Steps of accepted purchases still to be done. */
  following(): Promise<number>;
  /** Units that nobody has, by whoever decides. */
  unitsLeft(): Promise<number>;
  /** How each purchase ended that this way decided, by user. */
  told(): ReadonlyMap<string, Decision["state"]>;
  /** Answers what it can, then the port is free. */
  stop(): Promise<void>;
}

export type StartWay = (ground: Ground) => Promise<RunningWay>;
