/** Who sends a spike's requests: outside of the thread that answers them. */
import type { SpikeStatus } from "@plateau/domain";

export interface SpikeLoad {
  /** Of the gateway. */
  readonly url: string;
  readonly saleId: string;
  /** Sessions of the shoppers, who take turns. */
  readonly tokens: readonly string[];
  readonly perSecond: number;
  readonly seconds: number;
}

export type SpikeProgress = Pick<SpikeStatus, "sent" | "answered" | "answers" | "outcomes">;

export interface SpikePlay {
  /** Resolves once every request was sent and answered, or given up. Rejects where it cannot go on. */
  readonly played: Promise<void>;
  /** Sends no more; resolves when nothing is left of it. */
  stop(): Promise<void>;
}

export interface SpikePlayer {
  play(load: SpikeLoad, onProgress: (progress: SpikeProgress) => void): SpikePlay;
}
