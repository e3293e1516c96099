/** What a first visit costs: nothing on a page moves by itself, and its script stays small. */
import { button, expect, signIn, test } from "./shop.ts";

const scriptMaxBytes = 150_000;

/** Runs in the page, before anything else. */
const addUpLayoutShifts = `
  globalThis.shift = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) shift += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
`;

test("a first load brings less than 150 kB of compressed script, and nothing jumps", async ({
  page,
  browser,
  baseURL,
  shop,
}) => {
  const sale = await shop.open({ productId: "tent", stock: 5 });
  await page.goto(`/sales/${sale.id}`);
  await signIn(page);
  await button(page, "open").click();
  const order = await button(page, "won").getAttribute("href");
  const { cookies } = await page.context().storageState();
  for (const path of ["/", "/products/tent", `/sales/${sale.id}`, order ?? "", "/search?q=tent", "/account"]) {
    const context = await browser.newContext({ baseURL: baseURL ?? "" });
    await context.addCookies(cookies);
    const first = await context.newPage();
    const sizes: Promise<number>[] = [];
    first.on("requestfinished", (request) => {
      if (request.resourceType() !== "script") return;
      sizes.push(request.sizes().then(({ responseBodySize }) => responseBodySize));
    });
    await first.addInitScript({ content: addUpLayoutShifts });
    await first.goto(path, { waitUntil: "networkidle" });
    const scriptBytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    expect(scriptBytes, path).toBeGreaterThan(10_000);
    expect(scriptBytes, path).toBeLessThan(scriptMaxBytes);
    expect(await first.evaluate<number>("shift"), path).toBeLessThan(0.01);
    await context.close();
  }
});
