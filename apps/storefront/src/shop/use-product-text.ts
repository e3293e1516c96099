"use client";
import { useMemo } from "react";
import { useTranslations } from "use-intl/react";
import { createProductText, type ProductText } from "../language/product-text.ts";

export function useProductText(): ProductText {
  const t = useTranslations("catalogue");
  return useMemo(() => createProductText(t), [t]);
}
