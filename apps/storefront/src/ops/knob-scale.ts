/**
 * A slider of 0 to 100 over a wide range: even below a factor of 20, by factors above it, so that 10 and 10,000 can
 * both be set by hand. Positions give round values; the ends are exact.
 */
import type { Bounds } from "./knob-settings.ts";

export const positions = 100;
const evenBelowFactor = 20;

export function valueAt(position: number, { min, max, whole }: Bounds): number {
  if (position <= 0) return min;
  if (position >= positions) return max;
  const share = position / positions;
  const low = Math.max(min, 1);
  const even = max / low <= evenBelowFactor;
  const value = even ? min + share * (max - min) : low * (max / low) ** share;
  const rounded = even && whole === "whole" ? Math.round(value) : twoDigits(value);
  return Math.min(max, Math.max(min, whole === "whole" ? Math.round(rounded) : rounded));
}

export function positionOf(value: number, { min, max }: Bounds): number {
  const low = Math.max(min, 1);
  const even = max / low <= evenBelowFactor;
  const share = even ? (value - min) / (max - min) : Math.log(Math.max(value, low) / low) / Math.log(max / low);
  return Math.round(positions * Math.min(1, Math.max(0, share)));
}

function twoDigits(value: number): number {
  if (value < 10) return Math.round(value);
  const unit = 10 ** (Math.floor(Math.log10(value)) - 1);
  return Math.round(value / unit) * unit;
}
