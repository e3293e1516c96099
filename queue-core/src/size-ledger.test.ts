import fc from "fast-check";
import { expect, it } from "vitest";
import { SizeLedger } from "./size-ledger.ts";

it("a size ledger is never too low, and too high by less than one run, whatever sizes come in which order", () => {
  const arrival = fc.record({ bytes: fc.integer({ min: 0, max: 500 }), behind: fc.integer({ min: 0, max: 3 }) });
  const limits = fc.record({
    runBytes: fc.integer({ min: 1, max: 2_000 }),
    runMessages: fc.integer({ min: 1, max: 9 }),
  });
  fc.assert(
    fc.property(
      fc.array(arrival, { minLength: 1, maxLength: 60 }),
      limits,
      fc.nat(60),
      (arrivals, bounds, consumed) => {
        const ledger = new SizeLedger(bounds);
        // Receipts come up to three places late.
        const late = arrivals.map(({ bytes, behind }, offset) => ({ offset, bytes, at: offset + behind }));
        for (const { offset, bytes } of late.sort((a, b) => a.at - b.at)) ledger.add(offset, bytes);
        const waiting = late.filter(({ offset }) => offset >= consumed);
        const exact = waiting.reduce((sum, { bytes }) => sum + bytes, 0);
        const largest = Math.max(...arrivals.map(({ bytes }) => bytes));
        const before = ledger.from(consumed);
        expect(before.bytes).toBeGreaterThanOrEqual(exact);
        expect(before.messages).toBeGreaterThanOrEqual(waiting.length);
        // Runs overlap by what comes late: up to four of them lie across one offset.
        expect(before.bytes - exact).toBeLessThanOrEqual(4 * Math.max(bounds.runBytes, largest));
        ledger.forgetBefore(consumed);
        expect(ledger.from(consumed)).toEqual(before);
        expect(ledger.from(1_000)).toEqual({ messages: 0, bytes: 0 });
      },
    ),
  );
});

it("a size ledger is exact where whole runs are consumed", () => {
  const ledger = new SizeLedger({ runBytes: 100, runMessages: 10 });
  for (let offset = 0; offset < 20; offset++) ledger.add(offset, 25);
  expect(ledger.from(0)).toEqual({ messages: 20, bytes: 500 });
  expect(ledger.from(8)).toEqual({ messages: 12, bytes: 300 });
  // Of the run of four messages one is consumed: its bytes still count, its message does not.
  expect(ledger.from(9)).toEqual({ messages: 11, bytes: 300 });
});
