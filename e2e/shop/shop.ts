/**
 * What the specs share: sales made to measure, shoppers without a browser, the parts of the pages by name.
 *
 * A page that throws, logs an error or breaks its own content policy fails its test, whatever else it shows.
 */
import { Knobs, Purchase, Purchases, Sale, Session } from "@plateau/domain";
import { test as base, expect, type Locator, type Page } from "@playwright/test";
import type { z } from "zod";

export { expect };

export interface SaleWish {
  readonly productId?: string;
  readonly title?: string;
  readonly stock: number;
  readonly priceCents?: number;
  readonly startsAt?: string;
  readonly endsAt?: string;
  readonly paymentTimeoutMs?: number;
  /** Holds each request of this sale in the risk stage: this is how a queue is made that a page can be seen in. */
  readonly decisionCostMs?: number;
}

export interface Shop {
  readonly open: (wish: SaleWish) => Promise<Sale>;
  readonly sale: (id: string) => Promise<Sale>;
  readonly newShopper: () => Promise<Shopper>;
  /**
   * Puts slow work before whatever the page's shopper, who is signed in, buys next: it stays queued until the
   * returned call, and is decided within `eachMs` (5 s) of it; after four times that it is decided anyway.
   */
  readonly holdQueueOf: (page: Page, eachMs?: number) => Promise<() => Promise<void>>;
  /** Turns knobs; they are turned back after the test. */
  readonly set: (knobs: Partial<Knobs>) => Promise<void>;
}

/** A shopper who buys over HTTP while the page belongs to somebody else. */
export interface Shopper {
  /** Answered at once, before the decision. */
  readonly ask: (saleId: string) => Promise<void>;
  readonly buy: (saleId: string) => Promise<Purchase>;
}

export const environment = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: the global setup did not run`);
  return value;
};

async function send<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
  options: { method?: "POST" | "PATCH"; token?: string; body?: unknown; headers?: Record<string, string> } = {},
): Promise<z.infer<Schema>> {
  const { method = "POST" } = options;
  const response = await fetch(new URL(path, environment("SHOP_URL")), {
    method,
    headers: {
      "content-type": "application/json",
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      ...options.headers,
    },
    body: JSON.stringify(options.body ?? {}),
  });
  const body: unknown = await response.json();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(body)}`);
  return schema.parse(body);
}

const setKnobs = (knobs: Partial<Knobs>): Promise<Knobs> =>
  send("/api/ops/knobs", Knobs, { method: "PATCH", token: environment("SHOP_ADMIN_TOKEN"), body: knobs });

/** As a system has them that nobody has touched. */
const untouched = {
  decisionCostMs: 0,
  tokenRatePerSecond: 50_000,
  tokenBurst: 50_000,
  velocityPerMinute: 30,
} satisfies Partial<Knobs>;

/** One shopper's requests are decided one after the other, and a decision under way is not cut short. */
const heldDecisionMs = 5_000;
const heldBefore = 3;

async function holdQueueOf(page: Page, eachMs = heldDecisionMs): Promise<() => Promise<void>> {
  const elsewhere = await shop.open({ stock: heldBefore });
  await setKnobs({ decisionCostMs: eachMs });
  for (let n = 0; n < heldBefore; n++) {
    const purchases = `/api/sales/${elsewhere.id}/purchases`;
    const response = await page.request.post(purchases, { headers: { prefer: "respond-async" }, data: {} });
    expect(response.status()).toBe(202);
  }
  return async () => {
    await setKnobs({ decisionCostMs: 0 });
  };
}

const shop: Shop = {
  open: (wish) => send("/api/ops/sales", Sale, { token: environment("SHOP_ADMIN_TOKEN"), body: wish }),
  async sale(id) {
    const response = await fetch(new URL(`/api/sales/${id}`, environment("SHOP_URL")));
    return Sale.parse(await response.json());
  },
  holdQueueOf,
  set: async (knobs) => void (await setKnobs(knobs)),
  async newShopper() {
    const { token } = await send("/api/session", Session);
    const purchases = (saleId: string) => `/api/sales/${saleId}/purchases`;
    return {
      ask: async (saleId) => {
        await send(purchases(saleId), Purchase, { token, headers: { prefer: "respond-async" } });
      },
      buy: (saleId) => send(purchases(saleId), Purchase, { token, headers: { prefer: "wait=20" } }),
    };
  },
};

export const test = base.extend<{ shop: Shop }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads a fixture's needs from this pattern
  baseURL: async ({}, use) => use(environment("SHOP_URL")),
  // biome-ignore lint/correctness/noEmptyPattern: as above
  shop: async ({}, use) => {
    await use(shop);
    // A test that failed while it held the queue must not hold the next one's.
    await setKnobs(untouched);
  },
  page: async ({ page }, use) => {
    const faults = watchFaults(page);
    await use(page);
    expect(faults).toEqual([]);
  },
});

/** Problems that the API answers are part of the walk (a 409, a 404); everything else that a page logs is a fault. */
export function watchFaults(page: Page): string[] {
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
      faults.push(message.text());
  });
  return faults;
}

/** The one wide button in a state; its state stands in `data-state`. */
export const button = (page: Page, state?: string): Locator =>
  page.locator(state === undefined ? ".act[data-state]" : `.act[data-state="${state}"]`);

export const line = (page: Page): Locator => page.getByTestId("purchase-line");

export const orderState = (page: Page, state: string): Locator =>
  page.locator(`[data-testid="order-state"][data-state="${state}"]`);

/** By the masthead, in whichever language it speaks. */
export async function signIn(page: Page): Promise<void> {
  await page.getByTestId("sign-in").first().click();
  await expect(page.getByTestId("shopper")).toBeVisible();
}

/** The page's own shopper asked over the API, with the page's cookie. */
export async function ownPurchases(page: Page, saleId: string): Promise<readonly Purchase[]> {
  const response = await page.request.get(`/api/sales/${saleId}/purchases`);
  return Purchases.parse(await response.json()).purchases;
}

/** Nothing stands wider than the window. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const beyond = await page.locator("html").evaluate((html) => html.scrollWidth - html.clientWidth);
  expect(beyond, page.url()).toBe(0);
}
