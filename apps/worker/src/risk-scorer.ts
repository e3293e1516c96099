import type { PurchaseId, RiskScores, UserId } from "@plateau/domain";

/** One request as the outside scorer sees it. */
export interface RiskSubject {
  readonly id: PurchaseId;
  readonly userId: UserId;
  readonly deviceId?: string;
  readonly address: string;
}

/** The outside risk scorer: a port that any provider can fill. */
export interface RiskScorer {
  /**
   * Scores between 0 (harmless) and 1 by purchase id, for the whole batch in one call; a subject that the scorer
   * knows nothing of is absent. Rejects where the scorer fails, and soon after `signal` aborts.
   */
  score(subjects: readonly RiskSubject[], signal: AbortSignal): Promise<RiskScores>;
}
