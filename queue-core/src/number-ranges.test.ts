import fc from "fast-check";
import { expect, it } from "vitest";
import { NumberRanges } from "./number-ranges.ts";

const numbers = (ranges: NumberRanges) =>
  ranges.ranges.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, index) => from + index));

it("number ranges hold what a set of numbers holds, ascending, and come back from their text", () => {
  const number = fc.integer({ min: 1, max: 40 });
  const step = fc.record({
    do: fc.constantFrom("add" as const, "remove" as const, "take" as const),
    from: number,
    length: fc.integer({ min: 0, max: 6 }),
  });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const ranges = new NumberRanges();
      const model = new Set<number>();
      for (const { do: what, from, length } of steps) {
        const to = from + length;
        if (what === "take") {
          expect(numbers(ranges.takeUpTo(from))).toEqual([...model].filter((n) => n <= from).sort((a, b) => a - b));
          for (const n of [...model]) if (n <= from) model.delete(n);
          continue;
        }
        ranges[what](from, to);
        for (let n = from; n <= to; n++) model[what === "add" ? "add" : "delete"](n);
      }
      expect(numbers(ranges)).toEqual([...model].sort((a, b) => a - b));
      for (let n = 1; n <= 47; n++) expect(ranges.has(n)).toBe(model.has(n));
      const gaps = ranges.ranges.slice(1).map(({ from }, index) => from - (ranges.ranges[index]?.to ?? 0));
      expect(gaps.every((gap) => gap > 1)).toBe(true);
      expect(NumberRanges.parse(String(ranges))).toEqual(ranges);
    }),
  );
});

it.each(["x", "0", "3-2", "5,4", "1-", "1.5", "1,,2"])("the text %j is refused, since it holds no ranges", (text) => {
  expect(() => NumberRanges.parse(text)).toThrow(RangeError);
});
