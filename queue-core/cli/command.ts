/**
 * What a command of the tool is, and how its line becomes a call.
 *
 * What can go wrong: a mistyped option that is passed by in silence shows something else than was asked for.
 * Promise: every option, argument and number that does not fit is a ToolProblem that names it.
 */
import { parseArgs } from "node:util";
import { ToolProblem } from "./tool-problem.ts";

/** Where a command writes to: one line a call, without its line break. */
export type Print = (line: string) => void;

export interface Call {
  /** The one positional argument, where the command takes one and it was given. */
  readonly argument: string | undefined;
  /** As typed; undefined where it was left out. */
  readonly dir: string | undefined;
  readonly json: boolean;
  readonly limit: number | undefined;
  readonly partition: number | undefined;
  readonly from: number | undefined;
  readonly group: string | undefined;
  readonly last: boolean;
  readonly full: boolean;
}

const optionTexts = {
  dir: { value: "<directory>", text: "the log directory" },
  limit: { value: "<n>", text: "at most this many" },
  partition: { value: "<n>", text: "of this partition alone" },
  from: { value: "<n>", text: "from here on" },
  group: { value: "<name>", text: "of this group alone" },
  last: { value: undefined, text: "the newest instead of the oldest" },
  full: { value: undefined, text: "values whole, however long" },
  json: { value: undefined, text: "for machines" },
} as const satisfies Record<string, { value: string | undefined; text: string }>;

export type OptionName = keyof typeof optionTexts;

export interface Command {
  readonly name: string;
  readonly argument?: { readonly name: string; readonly isRequired: boolean };
  /** One line. */
  readonly summary: string;
  /** Further lines for `--help`. */
  readonly explanation: readonly string[];
  /** What the option means here; omitted ones are not taken. `json` and `dir` need no text. */
  readonly options: Partial<Record<OptionName, string | undefined>>;
}

export function usageOf(command: Command): string {
  const { argument } = command;
  if (argument === undefined) return command.name;
  return `${command.name} ${argument.isRequired ? `<${argument.name}>` : `[${argument.name}]`}`;
}

export function helpOf(command: Command, program: string): readonly string[] {
  const rows = optionNamesOf(command).map((name) => {
    const { value, text } = optionTexts[name];
    return { left: value === undefined ? `--${name}` : `--${name} ${value}`, right: command.options[name] ?? text };
  });
  const width = Math.max(...rows.map(({ left }) => left.length));
  return [
    `${program} ${usageOf(command)} [options]`,
    "",
    `${command.summary}.`,
    ...command.explanation,
    "",
    ...rows.map(({ left, right }) => `  ${left.padEnd(width)}  ${right}`),
  ];
}

/** "help" when that is asked for. Throws ToolProblem. */
export function parseCall(command: Command, args: readonly string[], program: string): Call | "help" {
  const seeHelp = `see ${program} ${command.name} --help`;
  const { values, positionals } = parse(command, args, seeHelp);
  if (values.help === true) return "help";
  const [argument, ...more] = positionals;
  const taken = command.argument === undefined ? 0 : 1;
  if (positionals.length > taken) {
    throw new ToolProblem(`${command.name}: unexpected argument "${taken === 0 ? argument : more[0]}"; ${seeHelp}`);
  }
  if (argument === undefined && command.argument?.isRequired === true) {
    throw new ToolProblem(`${command.name}: <${command.argument.name}> is missing; ${seeHelp}`);
  }
  const number = (name: "limit" | "partition" | "from", smallest: number) => {
    const text = values[name];
    if (typeof text !== "string") return undefined;
    if (/^\d{1,15}$/.test(text) && Number(text) >= smallest) return Number(text);
    throw new ToolProblem(
      `${command.name}: --${name} must be a whole number from ${smallest} on, not "${text}"; ${seeHelp}`,
    );
  };
  const text = (name: "dir" | "group") => {
    const typed = values[name];
    // An empty one is a variable that was not set: it must not mean the working directory.
    if (typed === "") throw new ToolProblem(`${command.name}: --${name} is empty; ${seeHelp}`);
    return typeof typed === "string" ? typed : undefined;
  };
  return {
    argument,
    dir: text("dir"),
    json: values.json === true,
    limit: number("limit", 1),
    partition: number("partition", 0),
    from: number("from", 0),
    group: text("group"),
    last: values.last === true,
    full: values.full === true,
  };
}

function parse(command: Command, args: readonly string[], seeHelp: string) {
  const flag = (name: OptionName | "help") =>
    [name, { type: name === "help" || optionTexts[name].value === undefined ? "boolean" : "string" }] as const;
  try {
    return parseArgs({
      args: withJoinedNumbers(args),
      options: Object.fromEntries([...optionNamesOf(command).map(flag), flag("help")]),
      allowPositionals: true,
    });
  } catch (error) {
    // The first sentence names the option; the others explain the parser.
    const [problem] = (error instanceof Error ? error.message : String(error)).split(/\. |\n/);
    throw new ToolProblem(`${command.name}: ${problem?.replace(/\.$/, "")}; ${seeHelp}`);
  }
}

/** "--limit -1" as "--limit=-1": the parser takes the -1 for an option, and says something that helps nobody. */
function withJoinedNumbers(args: readonly string[]): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    const before = joined.at(-1) ?? "";
    if (/^-\d/.test(arg) && /^--[a-z]+$/.test(before)) joined[joined.length - 1] = `${before}=${arg}`;
    else joined.push(arg);
  }
  return joined;
}

function optionNamesOf(command: Command): OptionName[] {
  return (Object.keys(optionTexts) as OptionName[]).filter((name) => name in command.options);
}
