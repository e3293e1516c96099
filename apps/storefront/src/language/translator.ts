import type { _Translator } from "use-intl/core";
import type { Area, Messages } from "./messages.ts";

declare module "use-intl/core" {
  interface AppConfig {
    Locale: string;
    Messages: Messages;
  }
}

/** Speaks one area of the messages: `t("key", { placeholder })`. */
export type Translator<A extends Area> = _Translator<Messages, A>;
