/**
 * Everything that anybody was told about a purchase, and that no telling contradicts another (the truth rules).
 *
 *     won ──► paid | cancelled | payment_expired          sold_out, rejected, expired: for good
 *
 * What can go wrong: two gateways tell two ends; an end that was told is taken back; what was told is not what is
 * stored at last. Two answers about one purchase agree where they name the same decision (outcome, place in the log,
 * time), and where the reservation has ended in both, the same end.
 */
import type { PurchaseId, PurchaseResult } from "@plateau/domain";
import type { World } from "queue-core/simulation";

interface Telling {
  readonly by: string;
  readonly toldAtMs: number;
  readonly result: PurchaseResult;
}

export class Tellings {
  readonly #world: World;
  readonly #byPurchase = new Map<PurchaseId, Telling[]>();

  constructor(world: World) {
    this.#world = world;
  }

  get purchases(): IterableIterator<PurchaseId> {
    return this.#byPurchase.keys();
  }

  /** How many different gateways told each purchase's end. */
  tellersOf(id: PurchaseId): number {
    return new Set(this.#byPurchase.get(id)?.map(({ by }) => by)).size;
  }

  /** `askedAtMs`: whoever was told something before that knew more than nobody. */
  told(by: string, result: PurchaseResult, askedAtMs: number): void {
    const toldAtMs = this.#world.nowMs;
    this.#world.note("told", `${by}: ${wordsOf(result)}`);
    const earlier = this.#byPurchase.get(result.purchaseId) ?? [];
    for (const one of earlier) {
      if (!agree(one.result, result)) this.#contradicted(one, `${by} tells ${wordsOf(result)}`);
      const isOlder = versionOf(result) < versionOf(one.result);
      if (isOlder && one.toldAtMs < askedAtMs) this.#contradicted(one, `${by} is asked later and tells less`);
    }
    earlier.push({ by, toldAtMs, result });
    this.#byPurchase.set(result.purchaseId, earlier);
  }

  /** Holds everything told against what is stored at last. */
  check(id: PurchaseId, final: PurchaseResult | undefined): void {
    for (const telling of this.#byPurchase.get(id) ?? []) {
      if (final === undefined) this.#contradicted(telling, "nothing is stored");
      else if (!agree(telling.result, final)) this.#contradicted(telling, `stored is ${wordsOf(final)}`);
    }
  }

  #contradicted({ by, toldAtMs, result }: Telling, what: string): void {
    const { purchaseId } = result;
    const told = `${purchaseId}: ${by} told ${wordsOf(result)} at ${toldAtMs.toFixed(3)}`;
    this.#world.fail("what was told is never contradicted", `${told}, and ${what}`);
  }
}

const versionOf = ({ reservation }: PurchaseResult): number => reservation?.version ?? 0;

const endOf = ({ reservation }: PurchaseResult): string | undefined =>
  reservation === undefined || reservation.state === "reserved" ? undefined : reservation.state;

function agree(one: PurchaseResult, other: PurchaseResult): boolean {
  const isOneDecision =
    one.outcome === other.outcome &&
    one.reason === other.reason &&
    one.position === other.position &&
    one.decidedAtMs === other.decidedAtMs;
  if (!isOneDecision) return false;
  return endOf(one) === undefined || endOf(other) === undefined || endOf(one) === endOf(other);
}

function wordsOf(result: PurchaseResult): string {
  const { outcome, position, decidedAtMs, reservation } = result;
  return `${outcome} ${reservation?.state ?? ""} (${position}, ${decidedAtMs})`;
}
