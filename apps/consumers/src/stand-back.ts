/**
 * Stands back behind what decides: on a machine that is shared, an order that is written a second later is no harm, a
 * shopper who waits for the decision is. This is what makes a peak a peak of decisions alone; the consumers catch up
 * behind it.
 *
 * What can go wrong:
 * - Linux shares the cores among sessions first (autogroup), and a process that the supervisor starts is a session of
 *   its own: there `nice` weighs it against its own threads only, and changes nothing. So the session is weighed as well.
 * - A session that others live in, as a shell's, would be slowed with all of them: only its leader weighs it.
 * - A process that stands back while it starts takes a minute for it on a busy machine: it does so once it works.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { setPriority } from "node:os";

/** As `nice` counts: a third of the share of what decides, where both want the same core; all of it where it is free. */
const niceness = 5;
const autogroup = "/proc/self/autogroup";
const againAfterMs = 150;

/** Where something of it is not allowed or not known, all keep the same share, as where there is none of it. */
export function standBack(): void {
  try {
    setPriority(niceness);
  } catch {}
  if (process.platform === "linux") weighSession(10);
}

/** Who is not root may be told to come again: Linux takes ten such changes a second, of all processes. */
function weighSession(triesLeft: number): void {
  try {
    if (sessionOf(readFileSync("/proc/self/stat", "utf8")) === process.pid) writeFileSync(autogroup, String(niceness));
  } catch (error) {
    const again = error instanceof Error && "code" in error && error.code === "EAGAIN" && triesLeft > 0;
    if (again) setTimeout(() => weighSession(triesLeft - 1), againAfterMs).unref();
  }
}

/** The name in brackets may hold blanks and brackets; state, parent, group and session are behind its last bracket. */
const sessionOf = (stat: string): number => Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[3]);
