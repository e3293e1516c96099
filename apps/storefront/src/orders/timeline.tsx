import type { Order } from "@plateau/domain/http";
import { eventText, serviceText, sinceText } from "../text/order-words.ts";

/** Events in order of time, each with the ms since the first. */
export function Timeline({ events }: { readonly events: Order["timeline"] }) {
  const ordered = events.toSorted((a, b) => a.atMs - b.atMs);
  const startMs = ordered[0]?.atMs ?? 0;
  return (
    <ol className="timeline" data-testid="timeline">
      {ordered.map(({ service, event, atMs }) => (
        <li key={`${service}:${event}:${atMs}`}>
          <span className="timeline-ms text-s leading-6">{sinceText(atMs - startMs)}</span>
          <span className="timeline-mark" aria-hidden="true" />
          <span className="min-w-0">
            <span className="font-semibold">{serviceText(service)}</span>
            <span className="block text-s text-ink-soft">{eventText(event)}</span>
          </span>
        </li>
      ))}
    </ol>
  );
}
