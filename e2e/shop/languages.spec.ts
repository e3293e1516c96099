/** English and Chinese: which one a visitor reads, and that it is the whole page. */
import { readFileSync } from "node:fs";
import type { Page } from "@playwright/test";
import { button, expect, expectNoSidewaysScroll, line, orderState, signIn, test } from "./shop.ts";

type Catalogue = Readonly<Record<string, { readonly title: string; readonly description: string } | undefined>>;

const catalogueIn = (language: string) =>
  JSON.parse(
    readFileSync(new URL(`../../apps/storefront/messages/${language}/catalogue.json`, import.meta.url), "utf8"),
  ) as Catalogue;

/** Names stay as they are; ids have digits in them. */
const names = new Set(["Plateau", "English", "HTTP", "API"]);

async function expectNoEnglish(page: Page): Promise<void> {
  const name = await page.getByTestId("shopper").innerText();
  const words = (await page.locator("body").innerText()).match(/(?<![\w-])[A-Za-z]{3,}(?![\w-])/g) ?? [];
  expect(words.filter((word) => !names.has(word) && !name.includes(word))).toEqual([]);
}

test.describe("a browser that prefers Chinese", () => {
  test.use({ locale: "zh-CN" });

  test("reads Chinese from the first view on, and can change to English and back", async ({ page, shop }) => {
    const sale = await shop.open({ productId: "enamel-kettle", stock: 5 });
    await page.goto(`/sales/${sale.id}`);
    await expect(page.locator("html")).toHaveAttribute("lang", "zh-CN");
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("搪瓷水壶");
    await expect(page).toHaveTitle("搪瓷水壶 · Plateau");

    await page.getByRole("button", { name: "English" }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Enamel kettle");
    await expect(page.locator("html")).toHaveAttribute("lang", "en-GB");
    expect(new URL(page.url()).pathname).toBe(`/sales/${sale.id}`);

    await page.reload();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Enamel kettle");
    await page.getByRole("button", { name: "中文" }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("搪瓷水壶");
  });

  test("buys, pays and reads the order in Chinese, without a word of English left", async ({ page, shop }) => {
    const sale = await shop.open({ productId: "thermos", stock: 5, priceCents: 1_900 });
    await page.goto(`/sales/${sale.id}`);
    await signIn(page);
    await button(page, "open").click();
    await expect(button(page, "won")).toContainText("付款 €19.00");
    await expect(line(page)).toContainText("为你保留到");
    await expectNoEnglish(page);
    await button(page, "won").click();
    await page.getByTestId("pay").click();
    await expect(orderState(page, "paid")).toHaveText("已付款");
    await expectNoEnglish(page);
    await expectNoSidewaysScroll(page);
  });
});

test("every product of the shelf has a name and a description in both languages", async ({ request }) => {
  const { products } = (await (await request.get("/api/products")).json()) as {
    products: { id: string; title: string; description: string }[];
  };
  for (const { id, title, description } of products) {
    expect(catalogueIn("en")[id]).toEqual({ title, description });
    expect(catalogueIn("zh")[id]?.title, id).toMatch(/\p{Script=Han}/u);
    expect(catalogueIn("zh")[id]?.description, id).toMatch(/\p{Script=Han}/u);
  }
});
