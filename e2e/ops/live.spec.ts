import { expect, test } from "../shop/shop.ts";
import { readTable, showTable } from "./room.ts";

test("the live page shows a purchase passing, and counts it among the recent sales", async ({ page, shop }, {
  project,
}) => {
  const title = `Lamp for the live page on a ${project.name}`;
  const sale = await shop.open({ title, stock: 5 });
  await page.goto("/live");
  await expect(page.getByText(/^Live, /)).toBeVisible();
  await expect(page.locator(".peak-chart canvas").first()).toBeVisible();
  await showTable(page);
  const shopper = await shop.newShopper();
  await shopper.buy(sale.id);
  await expect.poll(async () => (await readTable(page)).some(({ arrivals }) => arrivals > 0)).toBe(true);
  const row = page.getByRole("row", { name: new RegExp(title) });
  await expect(row.locator("td").nth(4)).toHaveText("1");
});
