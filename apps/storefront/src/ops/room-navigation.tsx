"use client";
import Link from "next/link";
import { useTranslations } from "use-intl";
import type { RoomSource } from "./use-room.ts";

const places = [
  { name: "room", href: "/ops" },
  { name: "ways", href: "/ops/four-ways" },
  { name: "live", href: "/live" },
] as const;

export interface RoomNavigationProps {
  readonly here: "room" | "ways";
  readonly source?: RoomSource;
  readonly viewers?: number | undefined;
}

/** The control room's views, and whether its figures are of now. */
export function RoomNavigation({ here, source, viewers }: RoomNavigationProps) {
  const words = useTranslations("ops");
  return (
    <div className="room-bar">
      <h1>{words(`views.${here}`)}</h1>
      <nav aria-label={words("views.name")}>
        {places
          .filter(({ name }) => name !== here)
          .map(({ name, href }) => (
            <Link key={name} href={href} prefetch={false}>
              {words(`views.${name}`)}
            </Link>
          ))}
      </nav>
      {source === undefined ? null : (
        <p className={source === "events" ? "now text-s" : "now quiet text-s"} data-source={source}>
          <span role="status">{words(`stream.${source}`)}</span>
          {viewers === undefined ? null : (
            <span className="room-label tabular">{words("stream.viewers", { count: viewers })}</span>
          )}
        </p>
      )}
    </div>
  );
}
