"use client";
/**
 * Time left, for the ear: a timer that is read out each second drowns everything else, so it is told only when it
 * passes one of a few marks.
 */
import { useEffect, useRef, useState } from "react";

const marksMs = [300_000, 60_000, 30_000, 10_000];

/** The mark that was passed last since the page was opened; undefined before the first. */
export function useCoarseTime(leftMs: number | undefined): number | undefined {
  const before = useRef(leftMs);
  const [mark, setMark] = useState<number>();
  useEffect(() => {
    const passed = passedMark(before.current, leftMs);
    before.current = leftMs;
    if (leftMs === undefined || leftMs <= 0) setMark(undefined);
    else if (passed !== undefined) setMark(passed);
  }, [leftMs]);
  return mark;
}

/** The lowest mark that lies between two readings of the time left. */
export function passedMark(beforeMs: number | undefined, leftMs: number | undefined): number | undefined {
  if (beforeMs === undefined || leftMs === undefined) return undefined;
  return marksMs.findLast((mark) => beforeMs > mark && leftMs <= mark);
}
