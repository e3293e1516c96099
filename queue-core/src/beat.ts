/**
 * When something periodic is done next: together with whatever else has that period.
 *
 * What can go wrong: twenty loops that each ask an engine once a second, each at a moment of its own, wake a process
 * and the engine twenty times a second. Promise: all that wait for the next beat of one period wake together, after
 * half a period to one and a half.
 */
export function untilBeatMs(nowMs: number, periodMs: number): number {
  const leftMs = periodMs - (nowMs % periodMs);
  return leftMs < periodMs / 2 ? leftMs + periodMs : leftMs;
}
