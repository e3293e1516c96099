/**
 * The outside risk scorer over HTTP: `POST /risk/scores`, one call a batch, over connections kept alive.
 *
 * What can go wrong: it is slow (the caller's signal ends the call), down, overloaded, or answers something else
 * than it promised. Each of these rejects; no made-up score ever stands for a missing one.
 */
import type { PurchaseId, RiskScores } from "@plateau/domain";
import { Pool } from "undici";
import type { RiskScorer, RiskSubject } from "./risk-scorer.ts";

/** One call at a time for each of the risk stage's 8 partitions. */
const connections = 8;

/** `url`: the provider's, e.g. `http://127.0.0.1:4010`; only its origin counts. Throws where it is no URL. */
export function createHttpRiskScorer({ url }: { readonly url: string }): RiskScorer {
  // undici itself, since a call of the global fetch took 4 times its processor time (600 against 150 µs). Idle
  // connections keep no process alive, so there is nothing to close.
  const pool = new Pool(new URL(url).origin, { connections });
  return {
    async score(subjects, signal) {
      const { statusCode, body } = await pool.request({
        method: "POST",
        path: "/risk/scores",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ subjects: subjects.map(numbered) }),
        signal,
      });
      if (statusCode !== 200) {
        await body.dump();
        throw new Error(`the risk scorer answered ${statusCode}`);
      }
      return scoresOf(await body.json(), subjects);
    },
  };
}

/** A subject's place in the batch is id enough there and back; a purchase id is 50 characters. */
function numbered({ userId, deviceId, address }: RiskSubject, index: number): object {
  return { id: String(index), userId, deviceId, address };
}

/** Throws where the answer is not `{ scores: [{ id, score: 0 to 1 }] }` about these subjects. */
function scoresOf(answer: unknown, subjects: readonly RiskSubject[]): RiskScores {
  const { scores } = (answer ?? {}) as { scores?: unknown };
  if (!Array.isArray(scores)) throw new Error("the risk scorer answered without scores");
  const byPurchase = new Map<PurchaseId, number>();
  for (const entry of scores as readonly { id?: unknown; score?: unknown }[]) {
    const { id, score } = entry ?? {};
    const subject = typeof id === "string" && /^\d+$/.test(id) ? subjects[Number(id)] : undefined;
    if (subject === undefined || typeof score !== "number" || !(score >= 0 && score <= 1)) {
      throw new Error(`the risk scorer answered with what is no score: ${JSON.stringify(entry)}`);
    }
    byPurchase.set(subject.id, score);
  }
  return byPurchase;
}
