/**
 * What every gateway can know of a purchase that another one published and nobody has decided yet.
 *
 *   publish ──► ONE commit: the request, and its entry here ──► … ──► result: from then on the entry says nothing
 *
 * An entry names the units asked for, the body's fingerprint and the deadline. It lies under sale and user, so that
 * a stranger's look-up finds nothing, and a shopper's own purchases of a sale lie side by side.
 *
 * What can go wrong: two gateways publish one key at once; the entry is a claim, so one of them is told that
 * somebody else was faster. A position told by one gateway and a higher one by the next; so whoever first tells a
 * position enters what it was measured against. An entry that outlives its result is never looked at: the result is
 * read beside it, and counts. One whose purchase stays undecided for an hour behind its deadline is gone; then
 * nobody could have decided for an hour.
 */
import type { PurchaseId, SaleId, UserId } from "@plateau/domain";
import type { Engine, EntryClaim } from "queue-core";
import type { PendingTerms, ToldStanding } from "./pending-purchases.ts";

export interface AskedPurchase {
  readonly terms: PendingTerms;
  /** Of the first answer that named a position; undefined until then. */
  readonly told: ToldStanding | undefined;
}

interface Entry {
  readonly quantity: number;
  readonly fingerprint: string;
  readonly decideByMs: number;
  readonly told?: ToldStanding;
}

const namespace = "purchases-asked";
const keptBehindDeadlineMs = 60 * 60_000;
/** Of one buyer in one sale; more than anybody may have undecided. */
const listedMax = 256;

export class AskedPurchases {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** To be published with the request. */
  claimOf(terms: PendingTerms): EntryClaim {
    return { namespace, key: keyOf(terms), value: bytesOf(terms), expiresAtMs: expiryOf(terms) };
  }

  async find(of: Pick<PendingTerms, "id" | "saleId" | "userId">): Promise<AskedPurchase | undefined> {
    const [bytes] = await this.#engine.readState(namespace, [keyOf(of)]);
    return bytes === undefined ? undefined : askedOf(of, bytes);
  }

  /** Those asked for in the last hour or so, decided ones too. */
  async ofBuyer(saleId: SaleId, userId: UserId): Promise<readonly AskedPurchase[]> {
    const prefix = prefixOf({ saleId, userId });
    const entries = await this.#engine.scanState(namespace, {
      after: prefix,
      // The next character: all keys with the prefix lie between the two.
      before: `${prefix.slice(0, -1)};`,
      limit: listedMax,
    });
    return entries.map(({ key, value }) =>
      askedOf({ id: `${saleId}.${key.slice(prefix.length)}` as PurchaseId, saleId, userId }, value),
    );
  }

  /** Enters it without a claim: for a publish that may or may not have been stored, or with what was told. */
  async enter(terms: PendingTerms, told?: ToldStanding): Promise<void> {
    const put = { namespace, key: keyOf(terms), value: bytesOf(terms, told), expiresAtMs: expiryOf(terms) };
    await this.#engine.commit({ put: [put] });
  }
}

const separator = ":";

const prefixOf = (of: Pick<PendingTerms, "saleId" | "userId">): string =>
  `${of.saleId}${separator}${of.userId}${separator}`;

/** The id begins with the sale's and a dot. */
const keyOf = (of: Pick<PendingTerms, "id" | "saleId" | "userId">): string =>
  `${prefixOf(of)}${of.id.slice(of.saleId.length + 1)}`;

const expiryOf = ({ deadlineMs }: PendingTerms): number => deadlineMs + keptBehindDeadlineMs;

function bytesOf({ quantity, fingerprint, deadlineMs }: PendingTerms, told?: ToldStanding): Buffer {
  const entry: Entry = { quantity, fingerprint, decideByMs: deadlineMs, ...(told === undefined ? {} : { told }) };
  return Buffer.from(JSON.stringify(entry));
}

function askedOf(of: Pick<PendingTerms, "id" | "saleId" | "userId">, bytes: Buffer): AskedPurchase {
  const { quantity, fingerprint, decideByMs, told } = JSON.parse(bytes.toString("utf8")) as Entry;
  const { id, saleId, userId } = of;
  return { terms: { id, saleId, userId, quantity, fingerprint, deadlineMs: decideByMs }, told };
}
