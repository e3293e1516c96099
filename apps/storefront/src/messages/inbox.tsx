"use client";
/** The shopper's telephone: what the SMS provider delivered, oldest at the top, unread ones marked. */
import type { SmsMessage } from "@plateau/domain/http";
import Link from "next/link";
import { useEffect, useRef, useState } from "react";
import { useTranslations } from "use-intl/react";
import { usePolled } from "../browser/use-polled.ts";
import { Clock } from "../time/clock.tsx";
import type { Moment } from "../time/moment.ts";

const pauseMs = () => 2_500;
const seenName = (userId: string) => `plateau:messages-seen:${userId}`;

export interface InboxProps {
  readonly messages: { readonly messages: readonly SmsMessage[] };
  readonly userId: string;
  readonly moment: Moment;
}

export function Inbox({ messages: first, userId, moment }: InboxProps) {
  const t = useTranslations("messages");
  const { value } = usePolled("/api/messages", first, pauseMs);
  const messages = value.messages.toSorted((a, b) => Date.parse(a.sentAt) - Date.parse(b.sentAt));
  const seen = useSeenBefore(userId, messages.at(-1)?.sentAt);
  const unread = seen === undefined ? 0 : messages.filter(({ sentAt }) => sentAt > seen).length;
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (messages.length > 0) end.current?.scrollTo({ top: end.current.scrollHeight });
  }, [messages.length]);

  return (
    <section className="phone" aria-label={t("phone")}>
      <div className="phone-bar">
        <span className="tabular text-ink-soft">{unread > 0 ? t("count", { count: unread }) : ""}</span>
        <span className="font-semibold">Plateau</span>
        <span className="text-right text-ink-soft">{t("sms")}</span>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling list must be reachable by keyboard */}
      <div ref={end} className="phone-list" tabIndex={0} role="log" aria-label={t("list")}>
        {messages.length === 0 ? (
          <p className="m-auto max-w-56 text-center text-ink-soft">{t("empty")}</p>
        ) : (
          messages.map((message) => (
            <Bubble
              key={message.id}
              message={message}
              unread={seen !== undefined && message.sentAt > seen}
              moment={moment}
            />
          ))
        )}
      </div>
    </section>
  );
}

function Bubble(props: { readonly message: SmsMessage; readonly unread: boolean; readonly moment: Moment }) {
  const { message, unread, moment } = props;
  const t = useTranslations("messages");
  return (
    <article className="grid justify-items-start gap-1" data-testid="sms">
      {/* As the provider delivered it; the shop writes its messages in English. */}
      <div className="bubble" lang="en">
        {message.text}
      </div>
      <p className="label flex items-center gap-2 pl-1">
        {unread ? <span className="unread-mark">{t("new")}</span> : null}
        <Clock at={message.sentAt} grain="second" moment={moment} />
        <Link
          className="text-link inline-flex min-h-11 items-center px-2"
          href={`/orders/${encodeURIComponent(message.orderId)}`}
          prefetch={false}
        >
          {t("order")}
        </Link>
      </p>
    </article>
  );
}

/** What had been seen before this visit; undefined until the browser has been asked. */
function useSeenBefore(userId: string, newest: string | undefined): string | undefined {
  const [seen, setSeen] = useState<string>();
  useEffect(() => {
    try {
      setSeen(localStorage.getItem(seenName(userId)) ?? "");
    } catch {
      setSeen(undefined);
    }
  }, [userId]);
  useEffect(() => {
    if (newest === undefined) return;
    const remember = () => {
      try {
        localStorage.setItem(seenName(userId), newest);
      } catch {
        // Forbidden storage: everything stays unmarked.
      }
    };
    window.addEventListener("pagehide", remember);
    return () => {
      remember();
      window.removeEventListener("pagehide", remember);
    };
  }, [userId, newest]);
  return seen;
}
