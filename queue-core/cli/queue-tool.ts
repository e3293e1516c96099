/**
 * The tool of whoever is on call: looks into a log that a process writes to, or that no process can open any more.
 *
 * What can go wrong: looking must not disturb. Promises: every command but `redrive` only reads, takes no lock, and may
 * run beside the engine that writes; whatever is wrong with call, directory or file is one line and exit code 1.
 */
import { resolve } from "node:path";
import { QueueError } from "../src/errors.ts";
import { type Call, type Command, helpOf, type Print, parseCall, usageOf } from "./command.ts";
import type { CommandContext } from "./command-context.ts";
import { deadCommand, runDead } from "./commands/dead.ts";
import { dumpCommand, runDump } from "./commands/dump.ts";
import { groupsCommand, runGroups } from "./commands/groups.ts";
import { peekCommand, runPeek } from "./commands/peek.ts";
import { redriveCommand, runRedrive } from "./commands/redrive.ts";
import { runTopics, topicsCommand } from "./commands/topics.ts";
import { runVerify, verifyCommand } from "./commands/verify.ts";
import { printable } from "./printable.ts";
import { ToolProblem } from "./tool-problem.ts";

export interface QueueToolOptions {
  /** What follows the name of the tool. */
  readonly args: readonly string[];
  /** Results. */
  readonly print: Print;
  /** What went wrong. */
  readonly complain: Print;
  /** How the tool is called, for its help. */
  readonly program: string;
  /** What relative paths are relative to; default: the working directory. */
  readonly workingDirectory?: string;
  /** The log directory where none is named; without it `--dir` is required. */
  readonly defaultDirectory?: string;
  /** How to redrive while a process has the default directory's log open; one line. */
  readonly redriveWhileOpen?: (group: string, topic: string) => string;
}

interface Entry {
  readonly command: Command;
  run(call: Call, context: CommandContext): Promise<number>;
}

const entries: readonly Entry[] = [
  { command: topicsCommand, run: runTopics },
  { command: groupsCommand, run: runGroups },
  { command: peekCommand, run: runPeek },
  { command: deadCommand, run: runDead },
  { command: redriveCommand, run: runRedrive },
  { command: verifyCommand, run: runVerify },
  { command: dumpCommand, run: runDump },
];

/** Resolves with the exit code. Rejects only with what is a fault of the tool itself. */
export async function runQueueTool(options: QueueToolOptions): Promise<number> {
  const [name, ...args] = options.args;
  if (name === undefined || name === "--help" || name === "help") {
    for (const line of overview(options)) options.print(line);
    return name === undefined ? 1 : 0;
  }
  try {
    const entry = entries.find(({ command }) => command.name === name);
    if (entry === undefined) throw new ToolProblem(`there is no command ${name}; there are ${commandNames}`);
    return await runEntry(entry, args, options);
  } catch (error) {
    if (!(error instanceof ToolProblem || error instanceof QueueError)) throw error;
    options.complain(printable(error.message));
    return 1;
  }
}

const commandNames = entries.map(({ command }) => command.name).join(", ");

async function runEntry({ command, run }: Entry, args: readonly string[], options: QueueToolOptions): Promise<number> {
  const { print, program, workingDirectory = "" } = options;
  const call = parseCall(command, args, program);
  if (call === "help") {
    for (const line of helpOf(command, program)) print(line);
    return 0;
  }
  const resolvePath = (typed: string) => resolve(workingDirectory, typed);
  const { defaultDirectory, redriveWhileOpen } = options;
  return run(call, {
    program,
    print,
    resolvePath,
    directory: () => {
      const typed = call.dir ?? defaultDirectory;
      if (typed === undefined) throw new ToolProblem(`${command.name}: --dir is missing: which log directory?`);
      return resolvePath(typed);
    },
    redriveWhileOpen(group, topic, directory) {
      const isDefault = defaultDirectory !== undefined && directory === resolvePath(defaultDirectory);
      return (isDefault ? redriveWhileOpen?.(group, topic) : undefined) ?? "stop it first, or redrive inside it";
    },
  });
}

function overview({ defaultDirectory, program }: QueueToolOptions): readonly string[] {
  const width = Math.max(...entries.map(({ command }) => usageOf(command).length));
  return [
    `${program} <command>: looks into a log; all but redrive only read, also beside the process that writes`,
    "",
    ...entries.map(({ command }) => `  ${usageOf(command).padEnd(width)}  ${command.summary}`),
    "",
    `Each takes --json and --help. The log is --dir${defaultDirectory === undefined ? "" : `, default ${defaultDirectory}`}.`,
  ];
}
