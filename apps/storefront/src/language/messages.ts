/**
 * Everything that the pages say, by language and area: one file each, `messages/<language>/<area>.json`, in ICU
 * message syntax. Both languages hold the same keys and placeholders (messages.test.ts).
 */
import enAccount from "../../messages/en/account.json" with { type: "json" };
import enCatalogue from "../../messages/en/catalogue.json" with { type: "json" };
import enErrors from "../../messages/en/errors.json" with { type: "json" };
import enLive from "../../messages/en/live.json" with { type: "json" };
import enMessages from "../../messages/en/messages.json" with { type: "json" };
import enOps from "../../messages/en/ops.json" with { type: "json" };
import enOrders from "../../messages/en/orders.json" with { type: "json" };
import enSale from "../../messages/en/sale.json" with { type: "json" };
import enShell from "../../messages/en/shell.json" with { type: "json" };
import enShop from "../../messages/en/shop.json" with { type: "json" };
import enTour from "../../messages/en/tour.json" with { type: "json" };
import enWords from "../../messages/en/words.json" with { type: "json" };
import zhAccount from "../../messages/zh/account.json" with { type: "json" };
import zhCatalogue from "../../messages/zh/catalogue.json" with { type: "json" };
import zhErrors from "../../messages/zh/errors.json" with { type: "json" };
import zhLive from "../../messages/zh/live.json" with { type: "json" };
import zhMessages from "../../messages/zh/messages.json" with { type: "json" };
import zhOps from "../../messages/zh/ops.json" with { type: "json" };
import zhOrders from "../../messages/zh/orders.json" with { type: "json" };
import zhSale from "../../messages/zh/sale.json" with { type: "json" };
import zhShell from "../../messages/zh/shell.json" with { type: "json" };
import zhShop from "../../messages/zh/shop.json" with { type: "json" };
import zhTour from "../../messages/zh/tour.json" with { type: "json" };
import zhWords from "../../messages/zh/words.json" with { type: "json" };
import type { Language } from "./languages.ts";

const en = {
  account: enAccount,
  catalogue: enCatalogue,
  errors: enErrors,
  live: enLive,
  messages: enMessages,
  ops: enOps,
  orders: enOrders,
  sale: enSale,
  shell: enShell,
  shop: enShop,
  tour: enTour,
  words: enWords,
};
export type Messages = typeof en;
export type Area = keyof Messages;

const zh: Messages = {
  account: zhAccount,
  catalogue: zhCatalogue,
  errors: zhErrors,
  live: zhLive,
  messages: zhMessages,
  ops: zhOps,
  orders: zhOrders,
  sale: zhSale,
  shell: zhShell,
  shop: zhShop,
  tour: zhTour,
  words: zhWords,
};

export const messages: Readonly<Record<Language, Messages>> = { en, zh };
