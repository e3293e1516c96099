/** However often a shopper clicks, reloads or loses the connection: one click that was meant is one purchase. */
import { button, expect, line, ownPurchases, signIn, test, watchFaults } from "./shop.ts";

test("a reload and a second tab in mid-queue show the same purchase", async ({ page, context, shop }) => {
  const sale = await shop.open({ stock: 2 });
  await page.goto(`/sales/${sale.id}`);
  await signIn(page);
  await button(page, "open").waitFor();
  const release = await shop.holdQueueOf(page);
  await button(page, "open").click();
  await expect(button(page, "queued")).toBeVisible();
  const [before] = await ownPurchases(page, sale.id);

  await page.reload();
  await expect(button(page, "queued")).toBeVisible();
  const second = await context.newPage();
  const faults = watchFaults(second);
  await second.goto(`/sales/${sale.id}`);
  await expect(button(second, "queued")).toBeVisible();

  await release();
  await expect(button(page, "won")).toBeVisible();
  await expect(button(second, "won")).toBeVisible();
  const purchases = await ownPurchases(page, sale.id);
  expect(purchases.map(({ id }) => id)).toEqual([before?.id]);
  expect(await button(second, "won").getAttribute("href")).toBe(await button(page, "won").getAttribute("href"));
  expect(faults).toEqual([]);
});

test("a tab that was open before shows the purchase that another tab begins", async ({ page, context, shop }) => {
  const sale = await shop.open({ stock: 2, decisionCostMs: 6_000 });
  await page.goto(`/sales/${sale.id}`);
  await signIn(page);
  const second = await context.newPage();
  await second.goto(`/sales/${sale.id}`);
  await button(second, "open").waitFor();
  await page.bringToFront();
  await button(page, "open").click();
  await expect(button(page, "won")).toBeVisible();
  await expect(button(second, "won")).toBeVisible();
  expect(await ownPurchases(page, sale.id)).toHaveLength(1);
});

test("an answer lost on the way is asked for again with the same key", async ({ page, shop }) => {
  const sale = await shop.open({ stock: 3 });
  await page.goto(`/sales/${sale.id}`);
  await signIn(page);
  const keys: (string | undefined)[] = [];
  await page.route(`**/api/sales/${sale.id}/purchases`, async (route) => {
    if (route.request().method() !== "POST") return route.continue();
    keys.push(route.request().headers()["idempotency-key"]);
    if (keys.length > 1) return route.continue();
    await route.fetch();
    await route.abort("connectionreset");
  });
  await button(page, "open").click();
  await expect(button(page, "won")).toBeVisible();
  expect(keys).toHaveLength(2);
  expect(keys[1]).toBe(keys[0]);
  expect(await ownPurchases(page, sale.id)).toHaveLength(1);
  await expect.poll(() => shop.sale(sale.id)).toMatchObject({ available: 2, reserved: 1 });
});

test("a double click and the back button buy once", async ({ page, shop }) => {
  const sale = await shop.open({ stock: 3 });
  await page.goto(`/sales/${sale.id}`);
  await signIn(page);
  await button(page, "open").dblclick();
  await page.waitForURL(/\/orders\/|\/sales\//);
  await page.goto(`/sales/${sale.id}`);
  await button(page, "won").click();
  await page.waitForURL(/\/orders\//);
  await page.goBack();
  await expect(button(page, "won")).toBeVisible();
  expect(await ownPurchases(page, sale.id)).toHaveLength(1);
});

test("without server-sent events the page finds the result by asking", async ({ page, shop }) => {
  const sale = await shop.open({ stock: 2, decisionCostMs: 3_000 });
  await page.route("**/api/purchases/*/events", (route) => route.abort("failed"));
  await page.goto(`/sales/${sale.id}`);
  await signIn(page);
  await button(page, "open").click();
  await expect(button(page, "queued")).toBeVisible();
  await expect(button(page, "won")).toBeVisible();
});

test("who has as many as one person may have is told so in a calm sentence", async ({ page, shop }) => {
  const sale = await shop.open({ stock: 3 });
  await page.goto(`/sales/${sale.id}`);
  await signIn(page);
  const purchases = `/api/sales/${sale.id}/purchases`;
  await button(page, "open").waitFor();
  expect((await page.request.post(purchases, { data: {} })).status()).toBe(201);
  await button(page, "open").click();
  await expect(line(page)).toHaveText("You already have as many as one person may have of this sale.");
  await expect(button(page, "rejected")).toContainText("You have yours");
});
