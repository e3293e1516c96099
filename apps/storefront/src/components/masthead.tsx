"use client";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { SignInCorner } from "../session/sign-in-button.tsx";
import { Han } from "./han.tsx";
import { Mark } from "./mark.tsx";

const places = [
  { href: "/", name: "Shop", holds: ["/sales"] },
  { href: "/orders", name: "Orders", holds: ["/orders"] },
  { href: "/messages", name: "Messages", holds: ["/messages"] },
  { href: "/live", name: "Live", holds: ["/live"] },
] as const;

export function Masthead() {
  const path = usePathname();
  return (
    <header className="masthead">
      <div className="page masthead-row">
        <Link href="/" className="wordmark" prefetch={false}>
          <Mark />
          Plateau
          <Han />
        </Link>
        <nav className="nav" aria-label="Main">
          {places.map(({ href, name, holds }) => (
            <Link
              key={href}
              href={href}
              prefetch={false}
              aria-current={path === href ? "page" : holds.some((below) => path.startsWith(below)) ? "true" : undefined}
            >
              {name}
            </Link>
          ))}
        </nav>
        <SignInCorner />
      </div>
    </header>
  );
}
