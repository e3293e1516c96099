import { describe, expect, it } from "vitest";
import { EngineTime, manualClock } from "./clock.ts";

describe("engine time", () => {
  it("starts at the wall clock and goes on with the monotonic one, whole milliseconds at a time", () => {
    const clock = manualClock(5000);
    const time = new EngineTime(clock);
    expect(time.now()).toBe(5000);
    clock.advance(0.6);
    expect(time.now()).toBe(5000);
    clock.advance(0.6);
    expect(time.now()).toBe(5001);
  });

  it("follows no jump of the wall clock", () => {
    let wallMs = 5000;
    let monotonicMs = 70;
    const time = new EngineTime({ wallMs: () => wallMs, monotonicMs: () => monotonicMs });
    wallMs = 1_000_000;
    expect(time.now()).toBe(5000);
    wallMs = 10;
    monotonicMs += 5;
    expect(time.now()).toBe(5005);
  });

  it("starts no earlier than told, and goes on from there", () => {
    const clock = manualClock(5000);
    const time = new EngineTime(clock, 9000);
    expect(time.now()).toBe(9000);
    clock.advance(10);
    expect(time.now()).toBe(9010);
  });

  it("stands still rather than follow a monotonic clock that goes back", () => {
    let monotonicMs = 100;
    const time = new EngineTime({ wallMs: () => 5000, monotonicMs: () => monotonicMs });
    expect(time.now()).toBe(5000);
    monotonicMs = 40;
    expect(time.now()).toBe(5000);
  });
});
