/** What the control room's specs share: its table view in numbers, and its knobs by name. */
import type { Locator, Page } from "@playwright/test";
import { environment, expect } from "../shop/shop.ts";

export interface TableSecond {
  readonly arrivals: number;
  readonly admitted: number;
  readonly shed: number;
  readonly decided: number;
  readonly backlog: number;
  /** What happened in it, in words. */
  readonly marks: string;
}

export async function openRoom(page: Page): Promise<void> {
  const signedIn = await page.request.post("/api/ops/session", { data: { token: environment("SHOP_ADMIN_TOKEN") } });
  expect(signedIn.status()).toBe(204);
  await page.goto("/ops");
  // Said by the stream, so the page lives by then.
  await expect(page.locator(".room-bar [data-source='events']")).toBeVisible();
}

/** The same chart for those who do not see charts. */
export async function showTable(page: Page): Promise<void> {
  await page.getByText("Table", { exact: true }).click();
  await expect(page.getByTestId("seconds")).toBeVisible();
}

/** What the table says, oldest first. */
export async function readTable(page: Page): Promise<readonly TableSecond[]> {
  const rows = await page
    .getByTestId("seconds")
    .locator("tbody tr")
    .evaluateAll((all) => all.map((row) => [...row.querySelectorAll("td")].map((cell) => cell.textContent ?? "")));
  const number = (text: string | undefined) => Number((text ?? "").replaceAll(",", ""));
  return rows.toReversed().map((cells) => ({
    arrivals: number(cells[0]),
    admitted: number(cells[1]),
    shed: number(cells[2]),
    decided: number(cells[3]),
    backlog: number(cells[4]),
    marks: cells[8] ?? "",
  }));
}

export const knob = (page: Page, name: string): Locator => page.locator(`[data-knob="${name}"]`);

/** Sets a knob by its number and waits until the gateway confirmed it. */
export async function turnKnob(page: Page, name: string, value: number): Promise<void> {
  const row = knob(page, name);
  await row.getByRole("spinbutton").fill(String(value));
  await expect(row).toHaveAttribute("data-state", "inForce");
  await expect(row.getByRole("spinbutton")).toHaveValue(String(value));
}
