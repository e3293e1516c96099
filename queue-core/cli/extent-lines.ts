/** The line that ends each view: how far it reaches, and who is writing. */
import type { LogExtent } from "./log-view.ts";
import { count, counted, size, time } from "./table.ts";

export function extentLines(extent: LogExtent): string[] {
  const { bytes, directory, segments, snapshot, tornBytes, writerPid } = extent;
  const parts = [
    `${counted(segments, "segment")} of ${size(bytes)}`,
    ...(snapshot === null ? [] : [`a snapshot of ${size(snapshot.bytes)} up to ${time(snapshot.timeMs)}`]),
    extent.batches === 0
      ? "nothing stored"
      : `${counted(extent.batches, "batch", "batches")} up to ${time(extent.lastTimeMs)}`,
  ];
  const writer = writerPid === null ? "no process has it open" : `process ${writerPid} has it open`;
  const lines = ["", `${directory}: ${parts.join(", ")}; ${writer}`];
  if (tornBytes > 0) {
    const cause = writerPid === null ? "torn by a crash; the next start cuts them off" : "a batch being written";
    lines.push(`its last ${count(tornBytes)} bytes are no whole batch: ${cause}`);
  }
  return lines;
}
