import { button, expect, expectNoSidewaysScroll, test } from "./shop.ts";

test("the first view comes from the server, whole: it needs no script", async ({ browser, baseURL, shop }) => {
  const sale = await shop.open({ productId: "tent", stock: 7, priceCents: 29_000 });
  const scriptless = await browser.newContext({ baseURL: baseURL ?? "", javaScriptEnabled: false });
  const page = await scriptless.newPage();
  await page.goto(`/sales/${sale.id}`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Tent");
  await expect(page.getByText("7 of 7 units left")).toBeVisible();
  await expect(button(page, "open")).toContainText("€290.00");
  await page.goto("/");
  await expect(page.getByRole("heading", { name: "Timetable" })).toBeVisible();
  // Sales of it that are gone stand above the shelf.
  await expect(page.getByRole("listitem").filter({ hasText: "Enamel kettle" }).last()).toBeVisible();
  await scriptless.close();
});

test("a title with markup is shown as text, under a policy that would not run it", async ({ page, shop }) => {
  const title = `<img src=x onerror="document.title='owned'"> "lamp" &amp;`;
  const sale = await shop.open({ title, stock: 1 });
  const response = await page.goto(`/sales/${sale.id}`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(title);
  expect(await page.locator("main img").count()).toBe(0);
  expect(await page.title()).toContain("<img");
  const policy = response?.headers()["content-security-policy"] ?? "";
  expect(policy).toMatch(/script-src 'self' 'nonce-[A-Za-z0-9+/=]+' 'strict-dynamic'/);
  expect(policy).not.toContain("unsafe");
});

test("what does not exist is a page of the shop with status 404", async ({ page }) => {
  for (const path of ["/sales/no-such-sale", "/orders/o_nobodys", "/nowhere"]) {
    const response = await page.goto(path);
    if (path.startsWith("/orders")) {
      await expect(page.getByRole("button", { name: "Sign in as a demo shopper" }).last()).toBeVisible();
      continue;
    }
    expect(response?.status()).toBe(404);
    await expect(page.getByRole("heading", { name: "Nothing stands here" })).toBeVisible();
  }
});

test("another shopper's order is answered as none", async ({ page, shop, browser, baseURL }) => {
  const sale = await shop.open({ stock: 2 });
  await page.goto(`/sales/${sale.id}`);
  await button(page, "open").click();
  await button(page, "won").click();
  await page.getByTestId("pay").waitFor();
  const address = new URL(page.url()).pathname;
  const stranger = await browser.newContext({ baseURL: baseURL ?? "" });
  await stranger.request.post("/api/session", { data: {} });
  const theirs = await stranger.newPage();
  expect((await theirs.goto(address))?.status()).toBe(404);
  await stranger.close();
});

test("a reminder is kept over a reload", async ({ page, shop }, { project }) => {
  const sale = await shop.open({
    title: `Lamp of tomorrow, seen on a ${project.name}`,
    stock: 5,
    startsAt: new Date(Date.now() + 20 * 60_000).toISOString(),
  });
  await page.goto("/");
  const remind = page.getByRole("button", { name: `Remind me: ${sale.title}` });
  await remind.click();
  await expect(remind).toHaveAttribute("aria-pressed", "true");
  await page.reload();
  await expect(remind).toHaveAttribute("aria-pressed", "true");
});

test("no page is wider than its window, down to 320 px, and no target is too small for a finger", async ({
  page,
  shop,
}) => {
  const sale = await shop.open({ stock: 5 });
  await page.setViewportSize({ width: 320, height: 700 });
  for (const path of [
    "/",
    `/sales/${sale.id}`,
    "/products/rope",
    "/search?q=rope",
    "/account",
    "/orders",
    "/messages",
    "/live",
    "/nowhere",
  ]) {
    await page.goto(path);
    await page.getByRole("contentinfo").waitFor();
    await expectNoSidewaysScroll(page);
    const small = await page.locator("a:visible, button:visible").evaluateAll((targets) =>
      targets
        .map((target) => ({ text: target.textContent?.trim().slice(0, 30), box: target.getBoundingClientRect() }))
        .filter(({ box }) => box.height > 1 && box.height < 43.5)
        .map(({ text, box }) => `${text}: ${Math.round(box.width)} × ${Math.round(box.height)}`),
    );
    expect(small, path).toEqual([]);
  }
});
