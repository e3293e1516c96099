/**
 * The environment of a process: which variables it reads, what they mean, and their values, checked.
 *
 * Promises: everything that is missing is told at once, each with its meaning; an empty variable counts as missing;
 * nothing is guessed. The text of `--help` comes from the same table, so it cannot name another set.
 */
import { StartProblem } from "./start-problem.ts";

export interface Variable<T> {
  readonly meaning: string;
  /** Shown in the help where it may be left out. */
  readonly otherwise: string | undefined;
  /** Where it is not given; throws nothing. */
  readonly absent: (() => T) | undefined;
  readonly read: (text: string, name: string) => T;
}

export type Variables = Readonly<Record<string, Variable<unknown>>>;
export type Values<V extends Variables> = { readonly [Name in keyof V]: V[Name] extends Variable<infer T> ? T : never };

export const required = <T>(meaning: string, read: Variable<T>["read"]): Variable<T> => ({
  meaning,
  otherwise: undefined,
  absent: undefined,
  read,
});

export const optional = <T>(
  meaning: string,
  read: (text: string, name: string) => T,
  otherwise: string,
): Variable<T | undefined> => ({ meaning, otherwise, absent: () => undefined, read });

/** `text` is what it is as if somebody had given it. */
export const withDefault = <T>(meaning: string, read: Variable<T>["read"], text: string): Variable<T> => ({
  meaning,
  otherwise: text === "" ? "none" : text,
  absent: () => read(text, "the default"),
  read,
});

/** Throws StartProblem: one line for what is wrong, or one for each variable that is missing. */
export function readVariables<V extends Variables>(variables: V, env: NodeJS.ProcessEnv): Values<V> {
  const missing = Object.entries(variables).filter(
    ([name, { absent }]) => absent === undefined && given(env, name) === undefined,
  );
  if (missing.length > 0) {
    const lines = missing.map(([name, { meaning }]) => `${name} is not set: ${meaning}`);
    throw new StartProblem(lines.join("\n"));
  }
  const values = Object.entries(variables).map(([name, { absent, read }]) => {
    const text = given(env, name);
    return [name, text === undefined ? absent?.() : read(text, name)] as const;
  });
  return Object.fromEntries(values) as Values<V>;
}

export function helpOf(purpose: string, variables: Variables): string {
  const widest = Math.max(...Object.keys(variables).map((name) => name.length));
  const lines = Object.entries(variables).map(([name, { meaning, otherwise }]) => {
    const note = otherwise === undefined ? " (needed)" : ` (default: ${otherwise})`;
    return `  ${name.padEnd(widest)}  ${meaning}${note}`;
  });
  return [purpose, "", "Environment:", ...lines, "", "SIGTERM or SIGINT stops it within 5 seconds."].join("\n");
}

export function given(env: NodeJS.ProcessEnv, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === "" ? undefined : value;
}
