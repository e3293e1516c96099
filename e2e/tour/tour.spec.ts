/** The tour: it waits to be asked, is walked by keyboard alone, and stands on nothing that it explains. */
import { AxeBuilder } from "@axe-core/playwright";
import type { Locator, Page } from "@playwright/test";
import { openRoom } from "../ops/room.ts";
import { expect, expectNoSidewaysScroll, test } from "../shop/shop.ts";

const offer = (page: Page): Locator => page.getByRole("region", { name: "A tour" });
const card = (page: Page): Locator => page.getByRole("dialog");
const pointedAt = (page: Page): Locator => page.locator("[data-tour-here]");

const steps = {
  shop: [
    "Few units, one moment",
    "A button with a place in the queue",
    "Who did what, and when",
    "A message, a little later",
    "The peak from above",
  ],
  room: [
    "The moment in one sentence",
    "A crowd at the press of a button",
    "A thin peak, a flat line",
    "Turn it, break it",
    "Is all well?",
  ],
} as const;

async function expectNoFindings(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([]);
}

/** What is explained is seen, and the card lies beside it. */
async function expectBeside(page: Page): Promise<void> {
  await expect(pointedAt(page)).toHaveCount(1);
  const [explained, own, view] = [
    await pointedAt(page).boundingBox(),
    await card(page).boundingBox(),
    page.viewportSize(),
  ];
  if (explained === null || own === null || view === null) throw new Error("something has no box");
  const apart =
    own.x >= explained.x + explained.width ||
    own.x + own.width <= explained.x ||
    own.y >= explained.y + Math.min(explained.height, view.height / 2) ||
    own.y + own.height <= explained.y;
  expect(apart, JSON.stringify({ explained, own })).toBe(true);
  expect(explained.y).toBeGreaterThanOrEqual(-1);
  expect(explained.y).toBeLessThan(view.height);
}

/** Next, back, next, …, as a hand on the keyboard does; ends before the last press. */
async function walk(page: Page, titles: readonly string[]): Promise<void> {
  for (const [index, title] of titles.entries()) {
    await expect(card(page)).toHaveAccessibleName(title);
    await expect(card(page)).toContainText(`Step ${index + 1} of 5`);
    await expectBeside(page);
    await expectNoFindings(page);
    if (index === 1) {
      await page.keyboard.press("ArrowLeft");
      await expect(card(page)).toHaveAccessibleName(titles[0] ?? "");
      await page.keyboard.press("ArrowRight");
      await expect(card(page)).toHaveAccessibleName(title);
    }
    if (index < titles.length - 1) await page.keyboard.press(index % 2 === 0 ? "Enter" : "ArrowRight");
  }
}

test("the shop's tour is offered on the first visit, walked by keyboard alone, and not offered again", async ({
  page,
  shop,
}) => {
  await shop.open({ productId: "thermos", stock: 3 });
  await page.goto("/");
  await expect(offer(page)).toBeVisible();
  await expect(card(page)).toHaveCount(0);
  await offer(page).getByRole("link", { name: "Show me around" }).focus();
  await page.keyboard.press("Enter");
  await expect(card(page).getByRole("button", { name: "Next" })).toBeFocused();
  await walk(page, steps.shop);
  await expectNoSidewaysScroll(page);
  await page.keyboard.press("Enter");
  await expect(card(page)).toHaveCount(0);
  await expect(pointedAt(page)).toHaveCount(0);
  await expect(page.getByRole("main")).toBeFocused();
  await page.reload();
  await expect(page.getByRole("contentinfo")).toBeVisible();
  await expect(offer(page)).toHaveCount(0);
  await expect(card(page)).toHaveCount(0);
});

test("from the foot of any page it begins again; Escape ends it and gives the focus back", async ({ page }) => {
  await page.goto("/search");
  await expect(offer(page)).toHaveCount(0);
  const again = page.getByRole("contentinfo").getByRole("link", { name: "Show me around" });
  await again.click();
  await expect(page).toHaveURL(/\/$/);
  await expect(card(page)).toHaveAccessibleName(steps.shop[0]);
  await page.keyboard.press("Escape");
  await expect(card(page)).toHaveCount(0);
  await again.focus();
  await page.keyboard.press("Enter");
  await expect(card(page)).toHaveAccessibleName(steps.shop[0]);
  await page.keyboard.press("Escape");
  await expect(again).toBeFocused();
});

test("who declines is not asked again, and the page can be used while the tour is on", async ({ page, shop }, {
  project,
}) => {
  const sale = await shop.open({
    title: `Lamp beside a tour on a ${project.name}`,
    stock: 3,
    startsAt: new Date(Date.now() + 600_000).toISOString(),
  });
  await page.goto("/");
  await expect(page.getByRole("button", { name: "No, thanks" })).toBeVisible();
  await expect(async () => {
    await page.getByRole("button", { name: "No, thanks" }).click({ timeout: 1_000 });
    await expect(offer(page)).toHaveCount(0, { timeout: 1_000 });
  }).toPass();
  await page.reload();
  await expect(offer(page)).toHaveCount(0);
  await page.goto("/#tour");
  await expect(card(page)).toBeVisible();
  const remind = page.getByRole("button", { name: `Remind me: ${sale.title}` });
  await remind.click();
  await expect(remind).toHaveAttribute("aria-pressed", "true");
  await expect(card(page)).toBeVisible();
});

test("the control room's tour explains what one sees there, by keyboard alone", async ({ page }) => {
  await openRoom(page);
  await expect(offer(page)).toBeVisible();
  await offer(page).getByRole("link", { name: "Show me around" }).focus();
  await page.keyboard.press("Enter");
  await walk(page, steps.room);
  await page.keyboard.press("Enter");
  await expect(card(page)).toHaveCount(0);
  await page.reload();
  await expect(page.getByRole("contentinfo")).toBeVisible();
  await expect(offer(page)).toHaveCount(0);
});

test.describe("in Chinese", () => {
  test.use({ locale: "zh-CN" });

  test("it speaks Chinese", async ({ page }) => {
    await page.goto("/#tour");
    await expect(card(page)).toHaveAccessibleName("几件东西，同一时刻");
    await expect(card(page).getByRole("button", { name: "下一步" })).toBeFocused();
  });
});
