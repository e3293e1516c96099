import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createTokenBucket, manualClock } from "./index.ts";

function bucket(settings: { ratePerSecond: number; burst: number }) {
  const clock = manualClock();
  return { clock, ...createTokenBucket({ now: () => clock.wallMs(), ...settings }) };
}

describe("a token bucket", () => {
  it("starts full, gives no more than its burst, and tells when the next token is there", () => {
    const { take, clock } = bucket({ ratePerSecond: 10, burst: 3 });
    expect([take(), take(), take()]).toEqual([{ ok: true }, { ok: true }, { ok: true }]);
    expect(take()).toEqual({ ok: false, retryAfterMs: 100 });
    clock.advance(40);
    expect(take()).toEqual({ ok: false, retryAfterMs: 60 });
    clock.advance(60);
    expect(take()).toEqual({ ok: true });
  });

  it("is fed at the old rate up to a change of the rate", () => {
    const { take, configure, clock } = bucket({ ratePerSecond: 10, burst: 10 });
    take(10);
    clock.advance(500);
    configure({ ratePerSecond: 1_000, burst: 10 });
    expect(take(6)).toMatchObject({ ok: false });
    expect(take(5)).toEqual({ ok: true });
    configure({ ratePerSecond: 1_000, burst: 2 });
    clock.advance(60_000);
    expect(take(3)).toMatchObject({ ok: false });
  });

  it("gives nothing at rate 0, and refuses settings that make no sense", () => {
    const { take, configure, clock } = bucket({ ratePerSecond: 0, burst: 1 });
    take();
    clock.advance(1e9);
    expect(take()).toEqual({ ok: false, retryAfterMs: 60_000 });
    for (const bad of [
      { ratePerSecond: -1 },
      { ratePerSecond: Number.NaN },
      { burst: 0 },
      { burst: Number.POSITIVE_INFINITY },
    ]) {
      expect(() => configure({ ratePerSecond: 1, burst: 1, ...bad })).toThrow("INVALID_ARGUMENT");
    }
  });

  it("never gives more than burst + rate × time, and never less than a waiting taker is told", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000 }),
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.record({ waitMs: fc.integer({ min: 0, max: 300 }), takes: fc.integer({ min: 0, max: 20 }) })),
        (ratePerSecond, burst, steps) => {
          const { take, clock } = bucket({ ratePerSecond, burst });
          let given = 0;
          let passedMs = 0;
          for (const { waitMs, takes } of steps) {
            clock.advance(waitMs);
            passedMs += waitMs;
            for (let n = 0; n < takes; n++) if (take().ok) given++;
          }
          expect(given).toBeLessThanOrEqual(burst + (ratePerSecond * passedMs) / 1_000 + 1e-6);
          const answer = take();
          if (!answer.ok) {
            clock.advance(answer.retryAfterMs);
            expect(take().ok).toBe(true);
          }
        },
      ),
    );
  });
});
