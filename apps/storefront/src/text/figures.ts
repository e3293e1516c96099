/** Money and counts as the shop writes them. */
const money = new Intl.NumberFormat("en", { style: "currency", currency: "EUR" });
const counts = new Intl.NumberFormat("en");

export const priceText = (cents: number): string => money.format(cents / 100);
export const countText = (count: number): string => counts.format(count);
