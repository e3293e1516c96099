/**
 * A line for each file, each damaged place, and a verdict.
 *
 * What can go wrong: a running writer may change what was just read, so that whole files look damaged. What two looks in
 * a row find alike is damage; one that finds none is enough.
 */
import type { Call, Command } from "../command.ts";
import type { CommandContext } from "../command-context.ts";
import { inspectLog } from "../inspect-log.ts";
import type { InspectedFile, Inspection } from "../inspection.ts";
import { lookAgain } from "../log-view.ts";
import { asJson } from "../printable.ts";
import { count, counted, left, none, right, size, tableLines } from "../table.ts";
import { ToolProblem } from "../tool-problem.ts";

export const verifyCommand: Command = {
  name: "verify",
  argument: { name: "directory", isRequired: false },
  summary: "Reads every byte of a log and says of each file whether it is sound; exit code 1 on damage",
  explanation: [
    "It may run beside the process that writes: what that writes at the moment is no damage.",
    "A snapshot is compared with the segments before it, while they reach back to the first.",
  ],
  options: { dir: undefined, json: undefined },
};

/** How often a running writer may make a difference between two looks. */
const attempts = 5;

export async function runVerify(call: Call, { directory: usual, print, resolvePath }: CommandContext): Promise<number> {
  if (call.argument !== undefined && call.dir !== undefined) {
    throw new ToolProblem("verify: name the directory once, as the argument or with --dir");
  }
  const directory = call.argument === undefined ? usual() : resolvePath(call.argument);
  const inspection = await inspectSteadily(directory);
  const isSound = inspection.damages.length === 0;
  if (call.json) {
    print(asJson({ directory, verdict: isSound ? "sound" : "damaged", ...inspection }));
    return isSound ? 0 : 1;
  }
  for (const line of fileLines(inspection.files)) print(line);
  print("");
  for (const line of verdictLines(directory, inspection)) print(line);
  return isSound ? 0 : 1;
}

/** Damage is what two looks in a row find alike. */
async function inspectSteadily(directory: string): Promise<Inspection> {
  let before: string | undefined;
  for (let attempt = 1; ; attempt++) {
    const inspection = await lookAgain(directory, () => inspectLog(directory));
    if (inspection.damages.length === 0) return inspection;
    const found = JSON.stringify(inspection.damages);
    if (found === before || attempt === attempts) return inspection;
    before = found;
  }
}

function fileLines(files: readonly InspectedFile[]): readonly string[] {
  const number = (value: number | undefined) => (value === undefined ? none : count(value));
  return tableLines<InspectedFile>(
    [
      left("file", ({ file }) => file),
      right("size", ({ bytes }) => size(bytes)),
      right("batches", ({ batches }) => number(batches)),
      right("commits", ({ commits }) => number(commits)),
      right("messages", ({ messages }) => number(messages)),
      right("entries", ({ entries }) => number(entries)),
      left("found", ({ damages, note }) => {
        if (damages.length > 0) return `DAMAGED in ${counted(damages.length, "place")}`;
        return note ?? "sound";
      }),
    ],
    files,
  );
}

function verdictLines(directory: string, { damages, files }: Inspection): readonly string[] {
  if (damages.length === 0) return [`sound: ${counted(files.length, "file")} in ${directory}`];
  return [
    ...damages.map(({ file, position, what }) => `${file} at byte ${position}: ${what}`),
    `DAMAGED: ${counted(damages.length, "place")} in ${directory}`,
  ];
}
