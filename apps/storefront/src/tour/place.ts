/**
 * Where a tour's card stands, in the document's own coordinates, so that it scrolls along with what it explains.
 *
 * Promises: it never lies on what it explains; it is in view whenever one of the four sides has room there.
 */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const gapPx = 16;
/** To the edges of the view. */
const marginPx = 12;

type Corner = Pick<Box, "left" | "top">;

const sides = ["below", "above", "right", "left"] as const;
export type Side = (typeof sides)[number];

/** `view` is the part of the document that is seen. The other sides are tried when `preferred` has no room. */
export function placeBeside(anchor: Box, card: Pick<Box, "width" | "height">, view: Box, preferred: Side): Corner {
  const left = within(anchor.left, view.left + marginPx, right(view) - marginPx - card.width);
  const top = within(anchor.top, view.top + marginPx, bottom(view) - marginPx - card.height);
  const corners: Readonly<Record<Side, Corner>> = {
    below: { left, top: bottom(anchor) + gapPx },
    above: { left, top: anchor.top - gapPx - card.height },
    right: { left: right(anchor) + gapPx, top },
    left: { left: anchor.left - gapPx - card.width, top },
  };
  const side = [preferred, ...sides].find((one) => isIn({ ...corners[one], ...card }, view));
  return corners[side ?? "below"];
}

/** Where there is nothing to stand beside: low at the right. */
export function placeInCorner(card: Pick<Box, "width" | "height">, view: Box): Corner {
  return { left: right(view) - marginPx - card.width, top: bottom(view) - marginPx - card.height };
}

const right = ({ left, width }: Box): number => left + width;
const bottom = ({ top, height }: Box): number => top + height;
const within = (value: number, min: number, max: number): number => Math.max(min, Math.min(value, max));

const isIn = (box: Box, view: Box): boolean =>
  box.left >= view.left && box.top >= view.top && right(box) <= right(view) && bottom(box) <= bottom(view);
