import { button, expect, line, orderState, ownPurchases, signIn, test } from "./shop.ts";

test("a shopper signs in, buys and pays, and finds the order, the messages and the statistics", async ({
  page,
  shop,
}) => {
  const sale = await shop.open({ productId: "enamel-kettle", stock: 5, priceCents: 2900 });
  await page.goto("/");
  await signIn(page);
  await page
    .getByRole("link", { name: /Enamel kettle/ })
    .first()
    .waitFor();

  await page.goto(`/sales/${sale.id}`);
  await button(page, "open").click();
  await expect(button(page, "won")).toContainText("Pay €29.00");
  await expect(line(page)).toContainText("Yours until");
  await expect(page.getByRole("group", { name: /^Pay €29\.00/ })).toBeFocused();

  await button(page, "won").click();
  await expect(orderState(page, "awaiting_payment")).toBeVisible();
  await page.getByTestId("pay").click();
  await expect(orderState(page, "paid")).toBeVisible();
  await expect(page.getByTestId("order-amount")).toHaveText("€29.00");
  await expect(page.getByTestId("timeline")).toContainText("Captured");

  await page.getByRole("link", { name: "All orders" }).click();
  await expect(page.getByRole("main").getByRole("listitem")).toContainText(["Enamel kettle"]);
  await page.getByRole("link", { name: "Messages" }).click();
  await expect(page.getByTestId("sms")).toHaveCount(2);
  await expect(page.getByTestId("sms").last()).toContainText("Enamel kettle");

  await page.goto(`/sales/${sale.id}`);
  await expect(button(page, "paid")).toBeVisible();
  const figures = page.getByTestId("sale-figures");
  await expect(figures.getByRole("row", { name: /^Won/ })).toContainText("1");
  await expect(figures.getByRole("row", { name: /^Units sold/ })).toContainText("1");
  await expect(figures.getByRole("row", { name: /^Taken in/ })).toContainText("€29.00");
  await expect.poll(() => shop.sale(sale.id)).toMatchObject({ available: 4, reserved: 0, sold: 1 });
  expect(await ownPurchases(page, sale.id)).toHaveLength(1);
});

test("buying while signed out signs in first, with one click", async ({ page, shop }) => {
  const sale = await shop.open({ stock: 3 });
  await page.goto(`/sales/${sale.id}`);
  await expect(button(page, "open")).toContainText("Sign in and buy");
  await button(page, "open").click();
  await expect(button(page, "won")).toBeVisible();
  await expect(page.getByTestId("shopper")).toBeVisible();
});

test("with the keyboard alone: to the button, through the result, to the payment", async ({ page, shop }) => {
  const sale = await shop.open({ stock: 3 });
  await page.goto(`/sales/${sale.id}`);
  // While the page still streams in, its parts are moved into place, and a part that moves loses the focus.
  await expect(button(page, "open")).toBeVisible();
  await button(page, "open").focus();
  await expect(button(page, "open")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(button(page, "won")).toBeVisible();
  await page.keyboard.press("Tab");
  await expect(button(page, "won")).toBeFocused();
  await page.keyboard.press("Enter");
  await page.getByTestId("pay").focus();
  await page.keyboard.press("Enter");
  await expect(orderState(page, "paid")).toBeFocused();
});

test("a sale that is about to open opens by itself under the waiting page", async ({ page, shop }) => {
  await page.goto("/");
  // Far enough away for a slow machine to show the page before.
  const sale = await shop.open({ stock: 3, startsAt: new Date(Date.now() + 20_000).toISOString() });
  await page.goto(`/sales/${sale.id}`);
  await expect(button(page, "upcoming")).toHaveAttribute("aria-disabled", "true");
  await expect(button(page, "open")).toHaveAttribute("aria-disabled", "false", { timeout: 60_000 });
  await button(page, "open").click();
  await expect(button(page, "won")).toBeVisible();
});

test("a declined payment says why and leaves the order payable; cancelling gives the unit back", async ({
  page,
  shop,
}) => {
  const sale = await shop.open({ stock: 2 });
  await page.goto(`/sales/${sale.id}`);
  await button(page, "open").click();
  await button(page, "won").click();
  await page.getByRole("button", { name: "Let the payment be declined" }).click();
  await expect(page.getByText(/declined the card/)).toBeVisible();
  await expect(orderState(page, "awaiting_payment")).toBeVisible();
  await page.getByRole("button", { name: "Cancel the order" }).click();
  await expect(orderState(page, "cancelled")).toBeVisible();
  await expect.poll(() => shop.sale(sale.id)).toMatchObject({ available: 2, reserved: 0, sold: 0 });
  await page.goto(`/sales/${sale.id}`);
  await expect(button(page, "cancelled")).toContainText("Try once more");
});

test("try again with a crowd leads to a new sale of the same thing", async ({ page, shop }) => {
  const sale = await shop.open({ productId: "hand-grinder", stock: 3 });
  await page.goto(`/sales/${sale.id}`);
  await page.getByRole("button", { name: "Try again with a crowd" }).click();
  await page.waitForURL((url) => url.pathname.startsWith("/sales/") && !url.pathname.endsWith(sale.id));
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(sale.title);
  await expect(button(page, "open")).toBeVisible();
});
