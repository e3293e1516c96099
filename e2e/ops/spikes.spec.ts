import { expect, test } from "../shop/shop.ts";
import { openRoom, readTable, showTable } from "./room.ts";

/** The generator's shoppers take the machine for themselves: once is enough. */
test.beforeEach(({ page: _page }, { project }) => {
  test.skip(project.name === "phone", "a spike is the same on every screen");
});

test("a spike: a peak above, a flat line beneath, a queue that rises and empties, and nobody lost", async ({
  page,
}) => {
  await openRoom(page);
  await showTable(page);
  await page.locator('[data-scenario="ten-times"]').click();
  const progress = page.getByTestId("spike-progress");
  await expect(progress).toHaveAttribute("data-state", "running");
  await expect(page.getByTestId("story")).toHaveAttribute("data-kind", /^(peak|shedding)$/);
  await expect(page.locator('[data-scenario="ten-times"]')).toHaveAttribute("aria-pressed", "true");
  await expect(progress).toHaveAttribute("data-state", "ended", { timeout: 80_000 });
  const seconds = await readTable(page);
  const highest = (of: "arrivals" | "decided" | "backlog") => Math.max(...seconds.map((second) => second[of]));
  // What is offered is ten times what is decided; a busy machine offers less of it, and never turns it round.
  expect(highest("arrivals")).toBeGreaterThan(2 * highest("decided"));
  expect(highest("backlog")).toBeGreaterThan(highest("decided"));
  expect(seconds.some(({ shed }) => shed > 0)).toBe(true);
  await expect.poll(async () => (await readTable(page)).at(-1)?.backlog).toBe(0);
  const marks = seconds.map((second) => second.marks).join(" ");
  expect(marks).toContain("Spike: Ten times too many");
  await expect(page.getByRole("listitem").filter({ hasText: "does not hold" })).toHaveCount(0);
});

test("one spike at a time: while one plays no other can be begun, and it can be stopped", async ({ page }) => {
  await openRoom(page);
  await page.locator('[data-scenario="quiet"]').click();
  await expect(page.getByTestId("spike-progress")).toHaveAttribute("data-state", "running");
  await expect(page.locator('[data-scenario="ten-times"]')).toHaveAttribute("aria-disabled", "true");
  await page.getByRole("button", { name: "Stop it" }).click();
  await expect(page.getByTestId("spike-progress")).toHaveAttribute("data-state", "stopped");
});
