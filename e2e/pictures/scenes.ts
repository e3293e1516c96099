/** The scenes that docs/pictures shows, each driven to its moment and then taken. */

import { FlowHistory } from "@plateau/domain";
import type { Browser, BrowserContextOptions, Page, Route } from "@playwright/test";
import { expect } from "@playwright/test";
import type { StagedShop } from "./staged-shop.ts";

/** PNG by file name. */
export type Pictures = Map<string, Buffer>;

const desktop = { viewport: { width: 1440, height: 900 }, colorScheme: "light" } as const;
const desktopByNight = { ...desktop, colorScheme: "dark" } as const;
const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, colorScheme: "light" } as const;

export interface Stage {
  readonly browser: Browser;
  readonly shop: StagedShop;
  readonly pictures: Pictures;
}

/** The shop's first page, wide and narrow, and the tour's card on it. */
export async function frontPage(stage: Stage): Promise<void> {
  await onPage(stage, desktop, async (page) => {
    await page.goto("/");
    await take(stage, page, "shop.png");
    await page.goto("/#tour");
    await expect(page.getByRole("dialog")).toBeVisible();
    await page.keyboard.press("ArrowRight");
    await take(stage, page, "tour.png");
  });
  await onPage(stage, phone, async (page) => {
    await page.goto("/");
    await take(stage, page, "shop-phone.png");
  });
}

const queued = 140;
/** Of these, the queue is some eight seconds long. */
const decisionCostMs = 60;

/** A purchase that waits, then the order that it became. */
export async function purchase(stage: Stage): Promise<void> {
  const { shop } = stage;
  await onPage(stage, desktop, async (page) => {
    const sale = await shop.open({ productId: "rope", stock: 240, decisionCostMs });
    await page.goto(`/sales/${sale.id}`);
    await page.getByTestId("sign-in").first().click();
    await expect(page.getByTestId("shopper")).toBeVisible();
    await shop.ask(sale.id, queued);
    await page.locator('.act[data-state="open"]').click();
    await expect(page.getByTestId("purchase-line")).toContainText(/\d+ requests are ahead/);
    await take(stage, page, "queue.png");
    await page.locator('.act[data-state="won"]').click({ timeout: 60_000 });
    await page.getByTestId("pay").click();
    await expect(page.locator('[data-testid="order-state"][data-state="paid"]')).toBeVisible();
    await expect(page.getByTestId("timeline")).toContainText("SMS");
    await page.locator("body").click({ position: { x: 2, y: 2 } });
    await take(stage, page, "order.png");
  });
}

/** How much of its height the backlog has left when the picture is taken. */
const drainedTo = 0.6;

/** Calm, a peak of ten times too much, and the moment in which the backlog drains below the flat line. */
export async function spike(stage: Stage): Promise<void> {
  const { shop } = stage;
  await onPage(stage, desktopByNight, async (page) => {
    await page.goto("/ops");
    await expect(page.getByRole("status").filter({ hasText: /^Live$/ })).toBeVisible();
    await shop.play("quiet");
    await shop.untilSpike("ended");
    await shop.play("ten-times");
    await shop.untilSpike("draining");
    await shop.until("the backlog has drained by a good part", async () => {
      const { samples } = await shop.get(FlowHistory, "/api/flow/history");
      const highest = Math.max(...samples.map(({ backlog }) => backlog));
      return highest > 0 && (samples.at(-1)?.backlog ?? highest) <= drainedTo * highest;
    });
    await expect(page.getByTestId("story")).toHaveAttribute("data-kind", "draining");
    await take(stage, page, "ops.png");
  });
  await onPage(stage, { ...phone, colorScheme: "dark" }, async (page) => {
    await page.goto("/ops");
    await expect(page.getByRole("status").filter({ hasText: /^Live$/ })).toBeVisible();
    await take(stage, page, "ops-phone.png");
  });
}

/** Lesson 01's four ways, after they have run. */
export async function fourWays(stage: Stage): Promise<void> {
  await stage.shop.runFourWays();
  await onPage(stage, desktopByNight, async (page) => {
    await page.goto("/ops/four-ways");
    await expect(page.getByRole("main")).toContainText("What was told and what is stored agree");
    await take(stage, page, "four-ways.png");
  });
}

/** A visitor who has been here before: no tour is offered, and the person at the machine has the control room's key. */
async function onPage(stage: Stage, screen: BrowserContextOptions, act: (page: Page) => Promise<void>): Promise<void> {
  const { browser, shop } = stage;
  const context = await browser.newContext({
    ...screen,
    baseURL: shop.url,
    locale: "en-GB",
    timezoneId: "UTC",
    deviceScaleFactor: 1,
    reducedMotion: "reduce",
  });
  await context.addCookies(["tour-shop", "tour-room"].map((name) => ({ name, value: "1", url: shop.url })));
  await context.request.post("/api/ops/session", { data: { token: shop.adminToken } });
  await context.route("**/*.css", waitForTheFace);
  await act(await context.newPage());
  await context.close();
}

/** A first view does not wait for its type face, which is right for a visitor and wrong for a picture. */
async function waitForTheFace(route: Route): Promise<void> {
  const response = await route.fetch();
  const body = (await response.text()).replaceAll(/font-display:\s*optional/g, "font-display:block");
  await route.fulfill({ response, body });
}

async function take({ pictures }: Stage, page: Page, name: string): Promise<void> {
  await page.evaluate("document.fonts.ready");
  await page.waitForLoadState("networkidle").catch(() => undefined);
  pictures.set(name, await page.screenshot({ animations: "disabled", caret: "hide" }));
}
