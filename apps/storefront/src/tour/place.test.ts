import fc from "fast-check";
import { expect, test } from "vitest";
import { type Box, placeBeside, placeInCorner } from "./place.ts";

const view: Box = { left: 0, top: 500, width: 1440, height: 900 };
const card = { width: 352, height: 240 };

const overlap = (a: Box, b: Box): boolean =>
  a.left < b.left + b.width && b.left < a.left + a.width && a.top < b.top + b.height && b.top < a.top + a.height;

const anywhere: fc.Arbitrary<Box> = fc.record({
  left: fc.integer({ min: -200, max: 1_600 }),
  top: fc.integer({ min: 0, max: 2_000 }),
  width: fc.integer({ min: 1, max: 1_600 }),
  height: fc.integer({ min: 1, max: 2_000 }),
});

test("the card never lies on what it explains, wherever that stands and however large it is", () => {
  fc.assert(
    fc.property(anywhere, fc.constantFrom("below", "above", "right", "left"), (anchor, side) => {
      expect(overlap({ ...placeBeside(anchor, card, view, side), ...card }, anchor)).toBe(false);
    }),
  );
});

test("below where there is room, else above, right or left", () => {
  expect(placeBeside({ left: 100, top: 600, width: 300, height: 50 }, card, view, "below")).toEqual({
    left: 100,
    top: 666,
  });
  expect(placeBeside({ left: 100, top: 1_300, width: 300, height: 50 }, card, view, "below")).toEqual({
    left: 100,
    top: 1_044,
  });
  expect(placeBeside({ left: 0, top: 520, width: 700, height: 860 }, card, view, "below")).toEqual({
    left: 716,
    top: 520,
  });
  expect(placeBeside({ left: 700, top: 520, width: 740, height: 860 }, card, view, "below")).toEqual({
    left: 332,
    top: 520,
  });
});

test("above where that is preferred and has room", () => {
  const heading = { left: 100, top: 900, width: 300, height: 50 };
  expect(placeBeside(heading, card, view, "above")).toEqual({ left: 100, top: 644 });
  expect(placeBeside({ ...heading, top: 520 }, card, view, "above")).toEqual({ left: 100, top: 586 });
});

test("beside the right edge it keeps to the view", () => {
  expect(placeBeside({ left: 1_390, top: 600, width: 50, height: 50 }, card, view, "below").left).toBe(
    1_440 - 12 - 352,
  );
});

test("with nothing to stand beside it is low at the right", () => {
  expect(placeInCorner(card, view)).toEqual({ left: 1_076, top: 1_148 });
});
