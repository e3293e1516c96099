/** The line that ends each view: how far it reaches, and who is writing. */
import type { LogExtent } from "./log-view.ts";
import { count, counted, size, time } from "./table.ts";

export function extentLines({
  batches,
  bytes,
  directory,
  lastTimeMs,
  segments,
  tornBytes,
  writerPid,
}: LogExtent): string[] {
  const reach = batches === 0 ? "nothing stored" : `${counted(batches, "batch", "batches")} up to ${time(lastTimeMs)}`;
  const writer = writerPid === null ? "no process has it open" : `process ${writerPid} has it open`;
  const lines = ["", `${directory}: ${counted(segments, "segment")} of ${size(bytes)}, ${reach}; ${writer}`];
  if (tornBytes > 0) {
    const cause = writerPid === null ? "torn by a crash; the next start cuts them off" : "a batch being written";
    lines.push(`its last ${count(tornBytes)} bytes are no whole batch: ${cause}`);
  }
  return lines;
}
