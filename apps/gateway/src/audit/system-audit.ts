/**
 * The audit of a running system: gather, examine, and where something is amiss that may merely be on its way (a
 * half message whose check-back is due, say), look again until the patience is used up.
 *
 * What can go wrong: many audits at once would read the log many times over, so they run one after another. The
 * patience of a waiting one begins when its turn comes.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { type AuditReport, audit, type HistoryEntry } from "@plateau/domain";
import { type EvidenceSources, gatherEvidence } from "./gather-evidence.ts";

export interface SystemAuditOptions {
  /** One sale; all when undefined. */
  readonly saleId: string | undefined;
  /** What a driver's clients were told. */
  readonly history?: readonly HistoryEntry[] | undefined;
}

/** Longer than a half message waits for its check-back (6 s), shorter than a client does for an answer. */
export const defaultPatienceMs = 15_000;
/** Some 300 MB for a moment, in a process that sells meanwhile. */
const defaultMaxMessages = 300_000;
/** Doubles each time: a look costs what it reads, and most of what is on its way arrives soon. */
const lookAgainFirstMs = 1_000;

export class SystemAudit {
  readonly #sources: EvidenceSources;
  readonly #patienceMs: number;
  readonly #maxMessages: number;
  readonly #clock: () => number;
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    sources: EvidenceSources,
    {
      patienceMs = defaultPatienceMs,
      maxMessages = defaultMaxMessages,
      clock = () => performance.now(),
    }: { patienceMs?: number; maxMessages?: number; clock?: () => number } = {},
  ) {
    this.#sources = sources;
    this.#patienceMs = patienceMs;
    this.#maxMessages = maxMessages;
    this.#clock = clock;
  }

  run(options: SystemAuditOptions): Promise<AuditReport> {
    const turn = this.#last.then(() => this.#runNow(options));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #runNow({ saleId, history }: SystemAuditOptions): Promise<AuditReport> {
    const untilMs = this.#clock() + this.#patienceMs;
    for (let waitMs = lookAgainFirstMs; ; waitMs *= 2) {
      const options = { saleId, history, untilMs, clock: this.#clock, maxMessages: this.#maxMessages };
      const report = audit(await gatherEvidence(this.#sources, options));
      const leftMs = untilMs - this.#clock();
      if (report.verdict !== "fail" || leftMs <= 0) return report;
      await sleep(Math.min(waitMs, leftMs));
    }
  }
}
