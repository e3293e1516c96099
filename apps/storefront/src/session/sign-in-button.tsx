"use client";
import { useShopper } from "./shopper-context.tsx";

/** The masthead's corner: the shopper's name, or the click that makes one. */
export function SignInCorner() {
  const { shopper, signingIn, problem, signIn } = useShopper();
  if (shopper !== undefined) {
    return (
      <span className="shopper">
        <span className="sr-only">Signed in as </span>
        <span className="truncate">{shopper.name}</span>
      </span>
    );
  }
  return (
    <button
      type="button"
      className="plain-button"
      aria-disabled={signingIn}
      onClick={() => void signIn()}
      title={problem}
    >
      <span className="sm:hidden">{signingIn ? "Signing in" : "Sign in"}</span>
      <span className="hidden sm:inline">{signingIn ? "Signing in" : "Sign in as a demo shopper"}</span>
    </button>
  );
}

/** Stands where a page has nothing to show to a stranger. */
export function SignInInvitation({ what }: { readonly what: string }) {
  const { signingIn, problem, signIn } = useShopper();
  return (
    <div className="grid gap-6 justify-items-start pb-24">
      <p className="max-w-xl text-ink-soft">
        {what} One click makes a demo shopper with a name of its own. No password, no address, no mail.
      </p>
      <button type="button" className="plain-button" aria-disabled={signingIn} onClick={() => void signIn()}>
        {signingIn ? "Signing in" : "Sign in as a demo shopper"}
      </button>
      <p role="status" className="min-h-6">
        {problem}
      </p>
    </div>
  );
}
