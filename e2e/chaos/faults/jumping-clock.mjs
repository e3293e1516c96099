/**
 * Loaded into each process of a system under test (`node --import`): its wall clock is off by the milliseconds that
 * stand in the file CHAOS_CLOCK_FILE. Whoever took a jump adds a line to `<file>.seen`.
 */
import { appendFileSync, readFileSync } from "node:fs";

const file = process.env.CHAOS_CLOCK_FILE;
const RealDate = Date;
let offByMs = 0;

const now = () => RealDate.now() + offByMs;

if (file !== undefined) {
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
    apply: () => new RealDate(now()).toString(),
    get: (target, name, receiver) => (name === "now" ? now : Reflect.get(target, name, receiver)),
  });
  take(file);
  setInterval(() => take(file), 50).unref();
}

/** @param {string} path */
function take(path) {
  let wantedMs = 0;
  try {
    wantedMs = Number(readFileSync(path, "utf8")) || 0;
  } catch {
    // No file: the clock is right. It is being written: the next look finds it.
    return;
  }
  if (wantedMs === offByMs) return;
  offByMs = wantedMs;
  appendFileSync(`${path}.seen`, `${process.pid} ${wantedMs}\n`);
}
