/** WCAG 2.2 AA on every page of the shop, by day and by night, in both languages; and a timer that does not chatter. */
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { button, expect, expectNoSidewaysScroll, signIn, test } from "./shop.ts";

const wcag = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

async function expectNoFindings(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(wcag).analyze();
  const findings = violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`,
  );
  expect(findings, page.url()).toEqual([]);
}

/** Each pair on one kind of screen: eight walks would show what four do. */
const pairs = [
  { colorScheme: "light", locale: "en-GB", screen: "desktop" },
  { colorScheme: "dark", locale: "zh-CN", screen: "desktop" },
  { colorScheme: "light", locale: "zh-CN", screen: "phone" },
  { colorScheme: "dark", locale: "en-GB", screen: "phone" },
] as const;

for (const { colorScheme, locale, screen } of pairs) {
  test.describe(`${colorScheme}, ${locale}`, () => {
    test.use({ colorScheme, locale });

    test("axe finds nothing on any page", async ({ page, shop }, { project }) => {
      test.skip(project.name !== screen, "walked on the other screen");
      const sale = await shop.open({ productId: "rope", stock: 5 });
      await page.goto(`/sales/${sale.id}`);
      await signIn(page);
      await expectNoFindings(page);
      await button(page, "open").click();
      await button(page, "won").waitFor();
      await expectNoFindings(page);
      await button(page, "won").click();
      await page.getByTestId("pay").waitFor();
      await expectNoFindings(page);
      for (const path of [
        "/",
        "/products/rope",
        "/search?q=rope",
        "/search?q=zzz",
        "/orders",
        "/messages",
        "/account",
      ]) {
        await page.goto(path);
        await page.getByRole("contentinfo").waitFor();
        await expectNoFindings(page);
        await expectNoSidewaysScroll(page);
      }
      await page.goto("/nowhere");
      await expectNoFindings(page);
    });
  });
}

/** Runs in the page. */
const writeDownWhatIsSpoken = `
  globalThis.spoken = [];
  for (const region of document.querySelectorAll('[role="status"], [aria-live="polite"], [aria-live="assertive"]'))
    new MutationObserver(() => region.textContent === "" || spoken.push(region.textContent)).observe(region, {
      childList: true,
      characterData: true,
      subtree: true,
    });
`;

test("a countdown is spoken of at a few marks only", async ({ page, shop }, { project }) => {
  test.skip(project.name === "phone", "it sounds the same on both");
  await page.goto("/");
  const sale = await shop.open({ stock: 3, startsAt: new Date(Date.now() + 25_000).toISOString() });
  await page.goto(`/sales/${sale.id}`);
  await button(page, "upcoming").waitFor();
  await page.evaluate(writeDownWhatIsSpoken);
  await expect(button(page, "open")).toBeVisible({ timeout: 90_000 });
  const spoken = await page.evaluate<string[]>("spoken");
  expect([...new Set(spoken.filter((text) => text.startsWith("Opens in")))]).toEqual(["Opens in 10 seconds."]);
  expect(spoken.length).toBeLessThan(8);
});

test.describe("with reduced motion", () => {
  test.use({ contextOptions: { reducedMotion: "reduce" } });

  test("nothing moves", async ({ page, shop }) => {
    const sale = await shop.open({ stock: 3 });
    await page.goto(`/sales/${sale.id}`);
    await button(page, "open").click();
    await button(page, "won").waitFor();
    const moving = await page.evaluate<number>(
      'document.getAnimations().filter((animation) => animation.playState === "running").length',
    );
    expect(moving).toBe(0);
  });
});
