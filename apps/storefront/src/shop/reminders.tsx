"use client";
/**
 * "Remind me": kept in this browser; shortly before a sale opens a strip at the foot of whichever page is open says
 * so. Storage may be forbidden: then the button does nothing worse than forget.
 */
import type { Sale } from "@plateau/domain/http";
import Link from "next/link";
import { useEffect, useState, useSyncExternalStore } from "react";
import { useTranslations } from "use-intl/react";
import { serverClock } from "../time/use-server-now.ts";
import { useProductText } from "./use-product-text.ts";

interface Reminder {
  readonly saleId: string;
  readonly title: string;
  readonly startsAt: string;
}

const storageName = "plateau:reminders";
const changed = "plateau:reminders-changed";
const noReminders = "[]";
const remindBeforeMs = 60_000;

function stored(): string {
  try {
    return localStorage.getItem(storageName) ?? noReminders;
  } catch {
    return noReminders;
  }
}

function parse(text: string): Reminder[] {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? (list as Reminder[]) : [];
  } catch {
    return [];
  }
}

function store(reminders: readonly Reminder[]): void {
  const current = reminders.filter(({ startsAt }) => Date.parse(startsAt) > Date.now() - remindBeforeMs);
  try {
    localStorage.setItem(storageName, JSON.stringify(current));
  } catch {
    return;
  }
  window.dispatchEvent(new Event(changed));
}

function subscribe(listener: () => void): () => void {
  window.addEventListener(changed, listener);
  window.addEventListener("storage", listener);
  return () => {
    window.removeEventListener(changed, listener);
    window.removeEventListener("storage", listener);
  };
}

const useReminders = (): Reminder[] => parse(useSyncExternalStore(subscribe, stored, () => noReminders));

export function RemindButton({ sale }: { readonly sale: Sale }) {
  const t = useTranslations("shop.timetable");
  const text = useProductText();
  const reminders = useReminders();
  const set = reminders.some(({ saleId }) => saleId === sale.id);
  const toggle = () => {
    const others = reminders.filter(({ saleId }) => saleId !== sale.id);
    store(set ? others : [...others, { saleId: sale.id, title: text.title(sale), startsAt: sale.startsAt }]);
  };
  return (
    <button
      type="button"
      className="plain-button"
      aria-pressed={set}
      aria-label={t("remindOf", { title: text.title(sale) })}
      onClick={toggle}
    >
      {t("remind")}
    </button>
  );
}

/** Looks once a second whether something the visitor asked for is about to open. */
export function Reminders() {
  const t = useTranslations("shell.reminder");
  const reminders = useReminders();
  const [due, setDue] = useState<Reminder>();
  const wanted = JSON.stringify(reminders);
  useEffect(() => {
    const list = parse(wanted);
    if (list.length === 0) {
      setDue(undefined);
      return;
    }
    void serverClock.synchronise();
    const look = () => {
      const now = serverClock.now();
      setDue(
        list.find(({ startsAt }) => Math.abs(Date.parse(startsAt) - now - remindBeforeMs / 2) <= remindBeforeMs / 2),
      );
    };
    const timer = setInterval(look, 1_000);
    return () => clearInterval(timer);
  }, [wanted]);
  if (due === undefined) return null;
  const dismiss = () => store(reminders.filter(({ saleId }) => saleId !== due.saleId));
  return (
    <div className="reminder" role="status">
      <p className="grow">{t("due", { title: due.title })}</p>
      <Link
        className="plain-button"
        href={`/sales/${encodeURIComponent(due.saleId)}`}
        prefetch={false}
        onClick={dismiss}
      >
        {t("go")}
      </Link>
      <button type="button" className="plain-button" onClick={dismiss}>
        {t("close")}
      </button>
    </div>
  );
}
