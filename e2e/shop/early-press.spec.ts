import { button, expect, test } from "./shop.ts";

test("a press that comes before the page's script is answered as soon as the script is there", async ({
  page,
  shop,
}) => {
  const sale = await shop.open({ stock: 3 });
  const pressed = Promise.withResolvers<void>();
  await page.route("**/_next/static/**/*.js", async (route) => {
    await pressed.promise;
    await route.continue();
  });
  await page.goto(`/sales/${sale.id}`, { waitUntil: "commit" });
  await button(page, "open").click();
  pressed.resolve();
  await expect(button(page, "won")).toBeVisible();
  expect((await shop.sale(sale.id)).available).toBe(2);
});
