import { priceText } from "../text/figures.ts";

export function Price({ cents, regularCents }: { readonly cents: number; readonly regularCents: number }) {
  return (
    <p className="price">
      {priceText(cents)}
      {regularCents > cents ? (
        <s>
          <span className="sr-only">instead of </span>
          {priceText(regularCents)}
        </s>
      ) : null}
    </p>
  );
}
