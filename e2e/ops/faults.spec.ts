import type { Page } from "@playwright/test";
import { expect, test } from "../shop/shop.ts";
import { openRoom, readTable, showTable } from "./room.ts";

const fault = (page: Page, id: string) => page.locator(`[data-fault="${id}"]`);
const press = (page: Page, id: string) => fault(page, id).getByRole("button").click();
const depthOf = (page: Page, edge: string) => page.locator(`[data-edge="${edge}"] .edge-depth`);

test.beforeEach(async ({ page }, { project }) => {
  test.skip(project.name === "phone", "a fault is the same on every screen");
  await openRoom(page);
});

test("each fault says that it acts, is marked on the chart, and is ended by the same button", async ({ page }) => {
  await showTable(page);
  for (const id of ["pause-group", "deliver-twice", "slow-database", "replies", "payments", "sms", "risk"]) {
    await press(page, id);
    await expect(fault(page, id), id).toHaveAttribute("data-active", "true");
    await expect(fault(page, id), id).toContainText("s left");
    await press(page, id);
    await expect(fault(page, id), id).toHaveAttribute("data-active", "false");
  }
  await expect
    .poll(async () => (await readTable(page)).map(({ marks }) => marks).join(" "))
    .toContain("Slow database: over");
});

test("a paused consumer's edge fills up while the sale goes on, and empties after it", async ({ page, shop }) => {
  const sale = await shop.open({ stock: 20 });
  await fault(page, "pause-group").getByRole("combobox").selectOption("stats");
  await press(page, "pause-group");
  await expect(fault(page, "pause-group")).toHaveAttribute("data-active", "true");
  const shopper = await shop.newShopper();
  expect((await shopper.buy(sale.id)).state).toBe("won");
  await expect(depthOf(page, "statistics")).not.toHaveText("0 waiting");
  await press(page, "pause-group");
  await expect(depthOf(page, "statistics")).toHaveText("0 waiting");
});

test("a killed worker: what is asked meanwhile waits, and is decided when another has taken over", async ({
  page,
  shop,
}) => {
  const sale = await shop.open({ stock: 5 });
  const shopper = await shop.newShopper();
  await press(page, "kill-worker");
  await expect(fault(page, "kill-worker")).toContainText("struck");
  await shopper.ask(sale.id);
  await expect.poll(async () => (await shop.sale(sale.id)).available).toBe(4);
});

test("a poison message ends among the dead letters, where it can be looked at and sent again", async ({ page }) => {
  await press(page, "poison");
  await page.locator('[data-edge="requests"]').getByRole("button").click();
  const dead = page.getByTestId("dead-risk");
  await expect(dead).toContainText("Dead letters of risk");
  await expect(dead.getByRole("listitem").first()).toContainText("Given up because");
  await dead.getByRole("button", { name: "Send them again" }).click();
  await expect(dead.getByRole("status")).toContainText("sent again");
  // Still nobody can read it, so it comes back.
  await expect(dead.getByRole("listitem").first()).toBeVisible();
});
