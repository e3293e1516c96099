import { button, expect, line, test, watchFaults } from "./shop.ts";

test("sold out: the last unit goes to the one who asked first, the next is told so and charged nothing", async ({
  page,
  shop,
}) => {
  const sale = await shop.open({ stock: 1, decisionCostMs: 3_000 });
  const first = await shop.newShopper();
  await page.goto(`/sales/${sale.id}`);
  await button(page, "open").waitFor();
  await first.ask(sale.id);
  await button(page, "open").click();
  await expect(button(page, "queued")).toBeVisible();
  await expect(button(page, "sold_out")).toBeVisible();
  await expect(button(page, "sold_out")).toHaveAttribute("aria-disabled", "true");
  await expect(line(page)).toContainText("Nothing was charged");
  await expect(page.getByRole("group", { name: /^Sold out/ })).toBeFocused();
  await expect(page.getByRole("button", { name: "Try again with a crowd" })).toBeVisible();
});

test("a visitor who comes when everything is gone sees it at the first view", async ({ page, shop }) => {
  const sale = await shop.open({ stock: 1 });
  expect((await (await shop.newShopper()).buy(sale.id)).state).toBe("won");
  await page.goto(`/sales/${sale.id}`);
  await expect(button(page, "sold_out")).toHaveAttribute("aria-disabled", "true");
  await expect(line(page)).toContainText("What is not paid for comes back here");
});

test("who does not pay in time loses the unit, and somebody else gets it", async ({ page, browser, baseURL, shop }) => {
  const elsewhere = await browser.newContext({ baseURL: baseURL ?? "" });
  const other = await elsewhere.newPage();
  const faults = watchFaults(other);
  // Long enough for a slow machine to show what both see before it runs out.
  const sale = await shop.open({ stock: 1, paymentTimeoutMs: 25_000 });
  await page.goto(`/sales/${sale.id}`);
  await button(page, "open").click();
  await expect(button(page, "won")).toBeVisible();
  await other.goto(`/sales/${sale.id}`);
  await expect(button(other, "sold_out")).toBeVisible();

  await expect(button(page, "payment_expired")).toBeVisible({ timeout: 60_000 });
  await expect(line(page)).toContainText("The time to pay ran out");
  await expect(button(other, "open")).toBeVisible();
  await button(other, "open").click();
  await expect(button(other, "won")).toBeVisible();
  await button(other, "won").click();
  await other.getByTestId("pay").click();
  await expect(other.locator('[data-testid="order-state"][data-state="paid"]')).toBeVisible();
  await expect.poll(() => shop.sale(sale.id)).toMatchObject({ available: 0, reserved: 0, sold: 1 });
  expect(faults).toEqual([]);
  await elsewhere.close();
});
