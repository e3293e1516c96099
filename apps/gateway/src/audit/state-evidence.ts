/** The stock stage's entries, read through the same port as every look-up. */
import {
  type BuyerUnits,
  groups,
  type Looked,
  type PurchaseResult,
  type SaleStock,
  type StateEvidence,
  saleOfPurchase,
  stockCommands,
  stockKeys,
} from "@plateau/domain";
import type { Queue, StateView, Topic } from "queue-core";

const readAtOnce = 500;

export interface KeysOfInterest {
  readonly saleIds: ReadonlySet<string>;
  readonly purchaseIds: ReadonlySet<string>;
  /** `<saleId>:<userId>`; a sale's id has no colon. */
  readonly buyers: ReadonlySet<string>;
}

export async function readState(queue: Queue, of: KeysOfInterest): Promise<Looked<StateEvidence>> {
  try {
    const view = queue.state(groups.stock, stockCommands as Topic<unknown>);
    const sales = await readAll<SaleStock>(view, of.saleIds, (saleId) => saleId, stockKeys.sale);
    const results = await readAll<PurchaseResult>(view, of.purchaseIds, saleOf, stockKeys.result);
    const entries = await readAll<BuyerUnits>(
      view,
      of.buyers,
      (buyer) => buyer.slice(0, buyer.indexOf(":")),
      (buyer) => `buyer:${buyer}`,
    );
    const buyers = new Map([...entries].map(([buyer, { units }]) => [buyer, units] as const));
    return { looked: true, found: { sales, buyers, results } };
  } catch (error) {
    return { looked: false, why: error instanceof Error ? error.message : String(error) };
  }
}

function saleOf(purchaseId: string): string {
  const saleId = saleOfPurchase(purchaseId);
  if (saleId === undefined) throw new Error(`${purchaseId} in the log is no purchase id`);
  return saleId;
}

async function readAll<V>(
  view: StateView,
  ids: ReadonlySet<string>,
  saleIdOf: (id: string) => string,
  keyOf: (id: string) => string,
): Promise<Map<string, V>> {
  const bySale = new Map<string, string[]>();
  for (const id of ids) {
    const saleId = saleIdOf(id);
    const known = bySale.get(saleId);
    if (known === undefined) bySale.set(saleId, [id]);
    else known.push(id);
  }
  const found = new Map<string, V>();
  for (const [saleId, all] of bySale) {
    for (let from = 0; from < all.length; from += readAtOnce) {
      const some = all.slice(from, from + readAtOnce);
      const values = await view.getMany<V>(saleId, some.map(keyOf));
      for (const [index, value] of values.entries()) {
        const id = some[index];
        if (id !== undefined && value !== undefined) found.set(id, value);
      }
    }
  }
  return found;
}
