/** WCAG 2.2 AA in the control room, by day and by night, in both languages. */
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, test } from "../shop/shop.ts";
import { openRoom } from "./room.ts";

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

    test("axe finds nothing in the control room, with all of it open, nor on its other pages", async ({ page }, {
      project,
    }) => {
      test.skip(project.name !== screen, "walked on the other screen");
      await openRoom(page);
      await expectNoFindings(page);
      await page.locator(".room-choice label").nth(1).click();
      await page.locator('[data-edge="requests"]').getByRole("button").click();
      await page.locator("#inside table").first().waitFor();
      for (const details of await page.locator(".room-side summary").all()) await details.click();
      await expectNoFindings(page);
      await page.goto("/ops/four-ways");
      await page.getByRole("contentinfo").waitFor();
      await expectNoFindings(page);
      await page.goto("/live");
      await page.locator(".peak-chart canvas").first().waitFor();
      await expectNoFindings(page);
    });
  });
}
