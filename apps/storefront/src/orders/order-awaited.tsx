"use client";
/** The purchase is won, its order not yet written: the order service follows a moment behind. */
import { useRouter } from "next/navigation";
import { useEffect, useState } from "react";
import { useTranslations } from "use-intl/react";
import { call } from "../browser/api.ts";

const looksMax = 40;
const pauseMs = 500;

export function OrderAwaited({ orderId }: { readonly orderId: string }) {
  const router = useRouter();
  const t = useTranslations("orders.awaited");
  const [givenUp, setGivenUp] = useState(false);
  useEffect(() => {
    let stopped = false;
    let looks = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async () => {
      const reply = await call(`/api/orders/${encodeURIComponent(orderId)}`);
      if (stopped) return;
      looks += 1;
      if (reply.kind === "ok") router.refresh();
      else if (looks >= looksMax) setGivenUp(true);
      else timer = setTimeout(() => void look(), pauseMs);
    };
    void look();
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, [orderId, router]);
  return (
    <div className="grid gap-4 pb-24" role="status">
      <p className="text-l">{givenUp ? t("late") : t("title")}</p>
      <p className="max-w-xl text-ink-soft">{givenUp ? t("lateText") : t("text")}</p>
    </div>
  );
}
