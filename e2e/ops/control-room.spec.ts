import { expect, expectNoSidewaysScroll, test } from "../shop/shop.ts";
import { knob, openRoom, readTable, showTable, turnKnob } from "./room.ts";

test("the control room asks a stranger for the token, and refuses another one in words", async ({
  browser,
  baseURL,
}) => {
  const stranger = await browser.newContext({
    baseURL: baseURL ?? "",
    extraHTTPHeaders: { "x-forwarded-for": "198.51.100.7" },
  });
  const page = await stranger.newPage();
  await page.goto("/ops");
  await page.getByLabel("Admin token").fill("not the token");
  await page.getByRole("button", { name: "Enter" }).click();
  await expect(page.getByText("That is not the token of this system.")).toBeVisible();
  await stranger.close();
});

test("a knob acts at once, is confirmed by the gateway and marked on the chart; nonsense is refused in words", async ({
  page,
}) => {
  await openRoom(page);
  await showTable(page);
  await turnKnob(page, "decisionCostMs", 7);
  await expect
    .poll(async () => (await readTable(page)).some(({ marks }) => /Cost of a decision .*→ 7/.test(marks)))
    .toBe(true);
  await turnKnob(page, "decisionCostMs", 0);
  const bound = knob(page, "backlogMax");
  await bound.getByRole("spinbutton").fill("0");
  await expect(bound.getByRole("status")).toHaveText("From 1 to 1000000. Nothing was changed.");
  await bound.getByRole("spinbutton").fill("1.5");
  await expect(bound.getByRole("status")).toHaveText("A whole number, please. Nothing was changed.");
  await page.reload();
  await expect(bound.getByRole("spinbutton")).toHaveValue("100000");
});

test("a slider is turned by the keyboard alone", async ({ page }) => {
  await openRoom(page);
  const slider = knob(page, "batchMax").getByRole("slider");
  await slider.focus();
  await slider.press("Home");
  await expect(knob(page, "batchMax")).toHaveAttribute("data-state", "inForce");
  await expect(knob(page, "batchMax").getByRole("spinbutton")).toHaveValue("1");
  await turnKnob(page, "batchMax", 256);
});

test("an edge opens to offsets with their owners and to its messages, and closes back to where one was", async ({
  page,
  shop,
}) => {
  const sale = await shop.open({ stock: 3 });
  await (await shop.newShopper()).buy(sale.id);
  await openRoom(page);
  const edge = page.locator('[data-edge="requests"]').getByRole("button");
  await edge.focus();
  await page.keyboard.press("Enter");
  const inside = page.getByRole("region", { name: /^Requests/ });
  await expect(inside.getByRole("heading", { name: /Requests/ })).toBeFocused();
  const offsets = inside.getByRole("region", { name: "Offsets of the group risk" });
  await expect(offsets.getByRole("row")).toHaveCount(9);
  await expect(offsets).not.toContainText("nobody");
  await expect(inside.getByRole("region", { name: "Newest messages" })).toContainText(sale.id);
  await page.keyboard.press("Escape");
  await expect(edge).toBeFocused();
  await expect(inside).toHaveCount(0);
});

test("a sale made in the control room can be visited, and its stock adds up", async ({ page }) => {
  await openRoom(page);
  await page.getByLabel("Units").fill("17");
  await page.getByLabel("Opens in, s").fill("0");
  await page.getByLabel("Simulated crowd").last().fill("0");
  await page.getByRole("button", { name: "Make it" }).click();
  await expect(page.getByText("Made: Enamel kettle, 17 units.")).toBeVisible();
  await expect(page.getByText("17 = 17 available + 0 reserved + 0 sold")).toBeVisible();
  await page.getByText("Made: ").getByRole("link").click();
  await expect(page.getByText("17 of 17 units left")).toBeVisible();
});

test("the control room is no wider than its window", async ({ page }) => {
  await openRoom(page);
  await expectNoSidewaysScroll(page);
  await page.setViewportSize({ width: 320, height: 700 });
  await expectNoSidewaysScroll(page);
});
