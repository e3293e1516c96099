/** States of the button that need a clock, a refusal or a bad line; each is made by the back end, not by a mocked answer. */
import { button, expect, line, orderState, ownPurchases, signIn, test, watchFaults } from "./shop.ts";

/** Why a test that waits for a clock runs once. */
const sameOnBoth = "the wait shows the same on both";

test("a sale ends under the open page, and the page says where to go", async ({ page, shop }, { project }) => {
  test.skip(project.name === "phone", sameOnBoth);
  const sale = await shop.open({ stock: 4, endsAt: new Date(Date.now() + 12_000).toISOString() });
  await page.goto(`/sales/${sale.id}`);
  await expect(button(page, "open")).toBeVisible();
  await expect(button(page, "ended")).toContainText("This sale is over", { timeout: 60_000 });
  await expect(line(page)).toContainText("0 of 4 units were sold");
  await expect(page.getByRole("link", { name: "Other sales of this thing" })).toBeVisible();
});

test("every state that stands is there again after a reload", async ({ page, shop }) => {
  const sale = await shop.open({ stock: 2 });
  await page.goto(`/sales/${sale.id}`);
  await signIn(page);
  const seenAgain = async (state: string) => {
    await page.reload();
    await expect(button(page, state)).toBeVisible();
  };
  const post = async (path: string, data: object = {}) => {
    const response = await page.request.post(path, { data, headers: { prefer: "wait=20" } });
    return (await response.json()) as { orderId?: string };
  };
  await seenAgain("open");
  const first = await post(`/api/sales/${sale.id}/purchases`);
  await seenAgain("won");
  await expect.poll(async () => (await page.request.get(`/api/orders/${first.orderId}`)).status()).toBe(200);
  await post(`/api/orders/${first.orderId}/cancellation`);
  await seenAgain("cancelled");
  const second = await post(`/api/sales/${sale.id}/purchases`);
  await expect.poll(async () => (await page.request.get(`/api/orders/${second.orderId}`)).status()).toBe(200);
  await post(`/api/orders/${second.orderId}/payment`, { outcome: "succeed" });
  await seenAgain("paid");
  await expect(page.getByRole("link", { name: "Read the message" })).toBeVisible();
});

test("who tries more often than a person does is told why, and that nothing was charged", async ({ page, shop }) => {
  const [busy, sale] = [await shop.open({ stock: 9 }), await shop.open({ stock: 2 })];
  await page.goto(`/sales/${sale.id}`);
  await signIn(page);
  await shop.set({ velocityPerMinute: 1 });
  await page.request.post(`/api/sales/${busy.id}/purchases`, { data: {}, headers: { prefer: "wait=20" } });
  await button(page, "open").click();
  await expect(button(page, "rejected")).toBeVisible();
  await expect(line(page)).toContainText("more often than one person does");
  await page.reload();
  await expect(button(page, "rejected")).toBeVisible();
});

test("turned away at the door the page waits as long as it was told, asks again and wins", async ({ page, shop }) => {
  const sale = await shop.open({ stock: 2 });
  await page.goto(`/sales/${sale.id}`);
  await signIn(page);
  await shop.set({ tokenRatePerSecond: 0.25, tokenBurst: 1 });
  await (await shop.newShopper()).ask(sale.id);
  await button(page, "open").click();
  await expect(button(page, "submitting")).toContainText("Waiting to ask again");
  await expect(button(page, "won")).toBeVisible();
  expect(await ownPurchases(page, sale.id)).toHaveLength(1);
});

test("without a network nothing is lost from sight: the press is sent once it is back", async ({
  page,
  context,
  shop,
}) => {
  const sale = await shop.open({ stock: 2 });
  await page.goto(`/sales/${sale.id}`);
  await signIn(page);
  await context.setOffline(true);
  await expect(line(page)).toContainText("You are offline");
  await button(page, "open").click();
  await expect(button(page, "submitting")).toContainText("The connection broke");
  await context.setOffline(false);
  await expect(button(page, "won")).toBeVisible();
  expect(await ownPurchases(page, sale.id)).toHaveLength(1);
});

test("a network that goes while one waits in the queue shows the result once it is back", async ({
  page,
  context,
  shop,
}) => {
  const sale = await shop.open({ stock: 2 });
  await page.goto(`/sales/${sale.id}`);
  await signIn(page);
  const release = await shop.holdQueueOf(page);
  await button(page, "open").click();
  await expect(button(page, "queued")).toBeVisible();
  await context.setOffline(true);
  await expect(line(page)).toContainText("Your request is kept by the shop");
  await release();
  await context.setOffline(false);
  await expect(button(page, "won")).toBeVisible();
});

test("no decision in time is an end that is told as one", async ({ page, shop }, { project }) => {
  test.skip(project.name === "phone", sameOnBoth);
  test.setTimeout(150_000);
  const sale = await shop.open({ stock: 2 });
  await page.goto(`/sales/${sale.id}`);
  await signIn(page);
  const release = await shop.holdQueueOf(page, 10_000);
  await button(page, "open").click();
  await expect(button(page, "queued")).toBeVisible();
  await expect(button(page, "expired")).toBeVisible({ timeout: 90_000 });
  await expect(line(page)).toContainText("There was no decision in time");
  await release();
});

test("the order page counts down to the end of the reservation and shows the end", async ({ page, context, shop }, {
  project,
}) => {
  test.skip(project.name === "phone", sameOnBoth);
  const sale = await shop.open({ stock: 1, paymentTimeoutMs: 12_000 });
  await page.goto(`/sales/${sale.id}`);
  await button(page, "open").click();
  await button(page, "won").click();
  await page.getByTestId("pay").waitFor();
  const second = await context.newPage();
  const faults = watchFaults(second);
  await second.goto(page.url());
  await expect(orderState(page, "payment_expired")).toBeFocused({ timeout: 60_000 });
  await expect(orderState(second, "payment_expired")).toBeVisible();
  await expect(page.getByTestId("pay")).toHaveCount(0);
  await page.getByRole("link", { name: "Back to the sale" }).click();
  await expect(button(page, "payment_expired")).toContainText("Try once more");
  expect(faults).toEqual([]);
});
