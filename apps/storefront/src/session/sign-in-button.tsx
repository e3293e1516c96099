"use client";
import Link from "next/link";
import { useTranslations } from "use-intl/react";
import { useShopper } from "./shopper-context.tsx";

/** The masthead's corner: the shopper's name, or the click that makes one. */
export function SignInCorner() {
  const { shopper, signingIn, problem, signIn } = useShopper();
  const t = useTranslations("shell.signIn");
  if (shopper !== undefined) {
    return (
      <Link href="/account" prefetch={false} className="shopper">
        <span className="sr-only">{t("as")} </span>
        <span className="truncate" data-testid="shopper">
          {shopper.name}
        </span>
      </Link>
    );
  }
  return (
    <button
      type="button"
      className="plain-button"
      aria-disabled={signingIn}
      onClick={() => void signIn()}
      title={problem}
      data-testid="sign-in"
    >
      <span className="sm:hidden">{signingIn ? t("busy") : t("short")}</span>
      <span className="hidden sm:inline">{signingIn ? t("busy") : t("long")}</span>
    </button>
  );
}

/** Stands where a page has nothing to show to a stranger. */
export function SignInInvitation({ what }: { readonly what: string }) {
  const { signingIn, problem, signIn } = useShopper();
  const t = useTranslations("shell.signIn");
  return (
    <div className="grid gap-6 justify-items-start pb-24">
      <p className="max-w-xl text-ink-soft">
        {what} {t("how")}
      </p>
      <button type="button" className="plain-button" aria-disabled={signingIn} onClick={() => void signIn()}>
        {signingIn ? t("busy") : t("long")}
      </button>
      <p role="status" className="min-h-6">
        {problem}
      </p>
    </div>
  );
}
