/**
 * The wall clock of the system's processes jumps, as it does when somebody sets it. The processes take its error from
 * a file (jumping-clock.mjs); the driver's own clock is right throughout.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { Fault } from "./fault.ts";

const jumps = [
  { name: "five minutes forth", ms: 300_000 },
  { name: "five minutes back", ms: -300_000 },
] as const;
const lengthMs = 2_000;

/** What a system's processes need to have a clock that jumps. */
export const jumpingClock = (clockFile: string): Readonly<Record<string, string>> => ({
  NODE_OPTIONS: `--import ${new URL("./jumping-clock.mjs", import.meta.url)}`,
  CHAOS_CLOCK_FILE: clockFile,
});

export const clockFaults: readonly Fault[] = jumps.map(({ name, ms }) => ({
  name: `wall clock jumps ${name}`,
  lengthMs,
  impossible: undefined,
  async strike({ clockFile }) {
    const before = seen(clockFile);
    writeFileSync(clockFile, String(ms));
    let took = 0;
    return {
      async heal() {
        took = seen(clockFile) - before;
        writeFileSync(clockFile, "0");
      },
      evidence: () => (took === 0 ? undefined : `${took} threads took the jump`),
    };
  },
}));

function seen(clockFile: string): number {
  const path = `${clockFile}.seen`;
  return existsSync(path) ? readFileSync(path, "utf8").split("\n").length - 1 : 0;
}
