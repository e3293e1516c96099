"use client";
import type { Order } from "@plateau/domain/http";
import { useTranslations } from "use-intl/react";
import { useFigures } from "../language/words-in-browser.tsx";

/** Events in order of time, each with the ms since the first. */
export function Timeline({ events }: { readonly events: Order["timeline"] }) {
  const { since } = useFigures();
  const name = useTimelineNames();
  const ordered = events.toSorted((a, b) => a.atMs - b.atMs);
  const startMs = ordered[0]?.atMs ?? 0;
  return (
    <ol className="timeline" data-testid="timeline">
      {ordered.map(({ service, event, atMs }) => (
        <li key={`${service}:${event}:${atMs}`}>
          <span className="timeline-ms text-s leading-6">{since(atMs - startMs)}</span>
          <span className="timeline-mark" aria-hidden="true" />
          <span className="min-w-0">
            <span className="font-semibold">{name.service(service)}</span>
            <span className="block text-s text-ink-soft">{name.event(service, event)}</span>
          </span>
        </li>
      ))}
    </ol>
  );
}

/**
 * What is the same event to all services is another thing to the one that tells of it by SMS. A service or an event
 * that the messages do not know is called by its own name.
 */
function useTimelineNames() {
  const t = useTranslations("orders.timeline");
  const known = (key: string): string | undefined => {
    const path = key as Parameters<typeof t>[0];
    return /^[a-z_.]+$/.test(key) && t.has(path) ? t(path) : undefined;
  };
  return {
    service: (service: string) => known(`service.${service}`) ?? service,
    event: (service: string, event: string) =>
      known(`event.${service}_${event}`) ?? known(`event.${event}`) ?? event.replaceAll("_", " "),
  };
}
