import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { segmentHeaderBytes } from "../format/layout.ts";
import { append, makeLog, openLog, segmentPaths, temporaryDirectory } from "../log-bed.ts";
import { readSegmentHeader, segmentParts } from "../recovery/segment-scan.ts";
import { nodeDisk } from "../writing/disk.ts";
import { SegmentWindows } from "./segment-windows.ts";

function segmentOf(directory: string) {
  const [path = ""] = segmentPaths(directory);
  const bytes = readFileSync(path);
  const { logId } = readSegmentHeader(bytes, path);
  const positions = [...segmentParts(bytes, logId)].flatMap((part) => (part.kind === "batch" ? [part.position] : []));
  return { logId, positions, segment: 0 };
}

it("a window ends with the last durable batch, whatever the file holds behind it", async () => {
  const directory = temporaryDirectory();
  await makeLog(directory);
  const { logId, positions, segment } = segmentOf(directory);
  const durable = positions[3] as number;
  const windows = new SegmentWindows({
    disk: nodeDisk,
    directory,
    logId,
    segments: { newest: { segment, bytes: durable } },
  });
  const window = await windows.load({ segment, position: segmentHeaderBytes });
  expect(window.end).toBe(durable);
  expect(windows.find({ segment, position: durable })).toBeUndefined();
});

it("windows that nobody read lately go, so that those kept take no more than 8 MiB", async () => {
  const directory = temporaryDirectory();
  const engine = await openLog(directory);
  const text = "x".repeat(500_000);
  for (let number = 0; number < 24; number++) await engine.commit(append(text));
  await engine.close();
  const { logId, positions, segment } = segmentOf(directory);
  const windows = new SegmentWindows({ disk: nodeDisk, directory, logId });
  let keptBytes = 0;
  for (const position of positions)
    if (windows.find({ segment, position }) === undefined) await windows.load({ segment, position });
  const kept = new Set(positions.map((position) => windows.find({ segment, position })));
  for (const window of kept) keptBytes += window?.bytes.length ?? 0;
  expect(keptBytes).toBeGreaterThan(4 * 1024 * 1024);
  expect(keptBytes).toBeLessThanOrEqual(8 * 1024 * 1024);
});
