/**
 * The idempotency key of each try, kept in the browser so that a double click, the back button, a reload, a second
 * tab or a lost connection all mean the same purchase.
 *
 * What can go wrong: a key that outlives its try would buy long after the click, so an unfinished one counts for
 * 45 s only (a request is decided within 30); storage may be forbidden, then a key lives as long as the page.
 */
export interface Try {
  readonly key: string;
  readonly startedAtMs: number;
}

export interface Tries {
  /** The unfinished try, if there is one young enough. */
  unfinished(): Try | undefined;
  /** The unfinished try, or a new one with a new key. */
  begin(): Try;
  /** What follows is a new try with a new key. */
  end(): void;
}

export type KeyStorage = Pick<Storage, "getItem" | "setItem" | "removeItem">;

const unfinishedForMs = 45_000;

export function createTries(
  of: { readonly userId: string; readonly saleId: string },
  deps: { readonly storage: KeyStorage | undefined; readonly nowMs: () => number; readonly newKey: () => string },
): Tries {
  const name = triesName(of);
  let own: Try | undefined;

  const read = (): Try | undefined => {
    const stored = readStored(deps.storage, name) ?? own;
    return stored !== undefined && deps.nowMs() - stored.startedAtMs < unfinishedForMs ? stored : undefined;
  };
  return {
    unfinished: read,
    begin() {
      const found = read();
      if (found !== undefined) return found;
      own = { key: deps.newKey(), startedAtMs: deps.nowMs() };
      try {
        deps.storage?.setItem(name, JSON.stringify(own));
      } catch {
        // Full or forbidden storage: the key lives in this page alone.
      }
      return own;
    },
    end() {
      own = undefined;
      try {
        deps.storage?.removeItem(name);
      } catch {
        // As above.
      }
    },
  };
}

/** Where a try is stored; other tabs hear of changes under this name. */
export const triesName = (of: { readonly userId: string; readonly saleId: string }): string =>
  `plateau:try:${of.userId}:${of.saleId}`;

function readStored(storage: KeyStorage | undefined, name: string): Try | undefined {
  try {
    const parsed: unknown = JSON.parse(storage?.getItem(name) ?? "null");
    if (typeof parsed !== "object" || parsed === null) return undefined;
    const { key, startedAtMs } = parsed as Partial<Try>;
    return typeof key === "string" && typeof startedAtMs === "number" ? { key, startedAtMs } : undefined;
  } catch {
    return undefined;
  }
}
