import type { Locator, Page } from "@playwright/test";
import { button, expect, orderState, test } from "./shop.ts";

const stopsMax = 60;

/** As a hand does: Tab until the focus is there. */
async function tabTo(page: Page, wanted: Locator): Promise<void> {
  await wanted.waitFor();
  for (let stops = 0; stops < stopsMax; stops++) {
    await page.keyboard.press("Tab");
    if (await wanted.evaluate((element) => element === element.ownerDocument.activeElement)) return;
  }
  throw new Error(`${stopsMax} stops do not lead to ${wanted}`);
}

test("with the keyboard alone: find a thing, buy it, pay it, read the message", async ({ page, shop }, { project }) => {
  test.skip(project.name === "phone", "a telephone has no Tab key");
  const sale = await shop.open({ productId: "trail-shoe", stock: 3 });
  await page.goto("/");
  await page.getByRole("contentinfo").waitFor();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to the content" })).toBeFocused();

  await tabTo(page, page.getByRole("banner").getByRole("searchbox"));
  await page.keyboard.type("trail");
  await page.keyboard.press("Enter");
  await tabTo(page, page.getByRole("main").getByRole("link", { name: /Trail shoe/ }));
  await page.keyboard.press("Enter");
  await tabTo(page, page.locator(`a.act[href="/sales/${sale.id}"]`));
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(`/sales/${sale.id}$`));

  await expect(button(page, "open")).toHaveAttribute("data-ready", "");
  await tabTo(page, button(page, "open"));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("group", { name: /^Pay / })).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(button(page, "won")).toBeFocused();
  await page.keyboard.press("Enter");

  await tabTo(page, page.getByTestId("pay"));
  await page.keyboard.press("Enter");
  await expect(orderState(page, "paid")).toBeFocused();
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Shift+Tab");
  await expect(page.getByRole("link", { name: "Read the message" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("sms").last()).toContainText("Trail shoe is yours");
});
