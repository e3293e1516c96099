/**
 * Shows what a file of the log holds, record by record, as it is.
 *
 * What can go wrong: the file is damaged, and then somebody needs what is left of it. Promise: damage is a line like
 * any other; what comes before it is shown, and in a segment also what follows from the next whole batch on.
 */
import { segmentMagic } from "../../src/engines/log/format/layout.ts";
import { readWhole } from "../../src/engines/log/recovery/segment-scan.ts";
import { snapshotMagic } from "../../src/engines/log/snapshots/snapshot-layout.ts";
import type { Call, Command } from "../command.ts";
import type { CommandContext } from "../command-context.ts";
import { dumpSegment, type Show } from "../dump-segment.ts";
import { dumpSnapshot } from "../dump-snapshot.ts";
import { problemWith } from "../log-directory.ts";
import { asJsonLine } from "../printable.ts";
import { readOnlyDisk } from "../read-only-disk.ts";
import { recordForMachines, recordLine, recordValueLines } from "../record-lines.ts";
import { ToolProblem } from "../tool-problem.ts";

export const dumpCommand: Command = {
  name: "dump",
  argument: { name: "file", isRequired: true },
  summary: "Shows what a file of the log holds: each batch and its records, a line each, or each record of a snapshot",
  explanation: [
    "The file may be damaged: then what is left is shown too, and the exit code is 1.",
    "With --json: one JSON object a line.",
  ],
  options: {
    from: "from this batch on (segments)",
    limit: "at most this many batches, or entries of a snapshot",
    full: "with the values",
    json: undefined,
  },
};

export async function runDump(call: Call, { print, resolvePath }: CommandContext): Promise<number> {
  const path = resolvePath(call.argument as string);
  const bytes = await read(path);
  const magic = bytes.length < 4 ? 0 : bytes.readUInt32LE(0);
  if (magic !== segmentMagic && magic !== snapshotMagic) {
    throw new ToolProblem(`${path} is neither a segment nor a snapshot: it does not begin like one`);
  }
  const seen = { damages: 0 };
  const show: Show = (record) => {
    if (record.kind === "damage" && !record.isAtEnd) seen.damages++;
    print(call.json ? asJsonLine(recordForMachines(record)) : recordLine(record));
    if (!call.json && call.full) for (const line of recordValueLines(record)) print(line);
  };
  if (magic === segmentMagic) await dumpSegment(path, bytes, call, show);
  else await dumpSnapshot(path, call, show);
  return seen.damages === 0 ? 0 : 1;
}

async function read(path: string): Promise<Buffer> {
  try {
    return (await readWhole(readOnlyDisk, path)).bytes;
  } catch (error) {
    throw problemWith(path, error);
  }
}
