/** Looking around: product pages, search, what is gone, the account, the theme. */
import { button, expect, signIn, test } from "./shop.ts";

test("a product's page shows what runs, what comes and what has been", async ({ page, shop }) => {
  const running = await shop.open({ productId: "headlamp", stock: 4, priceCents: 1_234 });
  const gone = await shop.open({ productId: "headlamp", stock: 1 });
  const soon = new Date(Date.now() + 30 * 60_000).toISOString();
  const next = await shop.open({ productId: "headlamp", stock: 7, startsAt: soon });
  expect((await (await shop.newShopper()).buy(gone.id)).state).toBe("won");
  await page.goto("/");
  await page
    .getByRole("main")
    .getByRole("link", { name: /^Headlamp/ })
    .last()
    .click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Headlamp");
  await expect(page).toHaveTitle("Headlamp · Plateau");
  const main = page.getByRole("main");
  await expect(main).toContainText("€12.34");
  await expect(main.getByRole("heading", { name: "Next" })).toBeVisible();
  await expect(main.locator(`a[href="/sales/${next.id}"]`)).toBeVisible();
  await expect(main.locator(`a[href="/sales/${gone.id}"]`)).toBeVisible();
  await main.locator(`a[href="/sales/${running.id}"]`).click();
  await expect(button(page, "open")).toContainText("€12.34");
});

test("without a script one finds things in either language, and is told kindly where there are none", async ({
  browser,
  baseURL,
}) => {
  const scriptless = await browser.newContext({ baseURL: baseURL ?? "", javaScriptEnabled: false });
  const page = await scriptless.newPage();
  await page.goto("/search");
  const field = page.getByRole("main").getByRole("searchbox");
  const names = page.getByRole("main").getByRole("listitem").getByRole("heading");
  await field.fill("kettle");
  await field.press("Enter");
  await expect(page.getByText("2 things for “kettle”.")).toBeVisible();
  await expect(names).toHaveText(["Enamel kettle", "Hand grinder"]);
  await field.fill("帐篷");
  await field.press("Enter");
  await expect(names).toHaveText(["Tent"]);
  await field.fill("<b>yak</b>");
  await field.press("Enter");
  await expect(page.getByText("Nothing found for “<b>yak</b>”.")).toBeVisible();
  await page.getByRole("link", { name: "See all 12 things" }).click();
  await expect(page.getByRole("heading", { name: "The shelf" })).toBeVisible();
  await scriptless.close();
});

test("a device's shoppers can be changed for one another, in every tab", async ({ page, context, shop }) => {
  const sale = await shop.open({ stock: 5 });
  await page.goto("/account");
  await page.getByLabel("A name, if you like").fill("Ada");
  await page.getByRole("button", { name: "New shopper" }).click();
  await expect(page.getByTestId("shopper")).toHaveText("Ada");
  const other = await context.newPage();
  await other.goto(`/sales/${sale.id}`);
  await button(other, "open").click();
  await expect(button(other, "won")).toBeVisible();

  await page.getByLabel("A name, if you like").fill("Ben");
  await page.getByRole("button", { name: "New shopper" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Ben’s account");
  await expect(button(other, "open")).toContainText("Buy one");
  await expect(other.getByTestId("shopper")).toHaveText("Ben");

  await page.getByTestId("shoppers").getByRole("button", { name: /^Ada/ }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Ada’s account");
  await expect(page.getByTestId("counts").getByRole("link", { name: /Orders/ })).toContainText("1");
  await expect(button(other, "won")).toBeVisible();

  await page.getByTestId("sign-out").click();
  await expect(page.getByText("Nobody is signed in.")).toBeVisible();
  await expect(button(other, "open")).toContainText("Sign in and buy");
});

test("a theme chosen by hand holds against the system, from the first view on", async ({ page }, { project }) => {
  const system = project.use.colorScheme === "dark" ? "dark" : "light";
  const other = system === "dark" ? "light" : "dark";
  const background = () => page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
  await page.goto("/account");
  const before = await background();
  const theme = page.getByRole("group", { name: "Theme" });
  const kept = page.waitForResponse((response) => response.url().endsWith("/preferences"));
  await theme.getByRole("button", { name: other === "dark" ? "Dark" : "Light" }).click();
  expect(await background()).not.toBe(before);
  await kept;
  const html = await (await page.request.get("/")).text();
  expect(html).toContain(`data-theme="${other}"`);
  await page.reload();
  expect(await background()).not.toBe(before);
  await theme.getByRole("button", { name: "As the system" }).click();
  await expect.poll(background).toBe(before);
});

test("signed in, the name in the masthead leads to the account", async ({ page }) => {
  await page.goto("/");
  await signIn(page);
  await page.getByTestId("shopper").click();
  await expect(page).toHaveURL(/\/account$/);
});
