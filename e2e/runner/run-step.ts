/**
 * One step of a test run: a program, its output, its verdict.
 *
 * Promise: nothing that a step started in its process group outlives it. A step that takes too long is ended and
 * has failed.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface Step {
  readonly name: string;
  /** Arguments of Node: the script, then its own. */
  readonly args: readonly string[];
  /** Shown as it comes instead of only when it failed: for steps of minutes. */
  readonly streams?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly withinMs?: number;
  /** Why it cannot be run here; it is then left out, or has failed where nothing may be left out. */
  readonly missing?: string | undefined;
  /** Why no machine like this one can run it, whatever is installed; it is then left out everywhere. */
  readonly impossible?: string | undefined;
}

export interface StepResult {
  readonly name: string;
  readonly outcome: "passed" | "failed" | "left out";
  readonly tookMs: number;
  readonly note: string;
}

export const root = fileURLToPath(new URL("../..", import.meta.url));
const running = new Set<ChildProcess>();
const nothingMayBeLeftOut = process.env.CI === "true" || process.env.CI === "1";

export async function runStep(step: Step): Promise<StepResult> {
  if (step.impossible !== undefined) {
    return { name: step.name, outcome: "left out", tookMs: 0, note: step.impossible };
  }
  if (step.missing !== undefined) {
    const outcome = nothingMayBeLeftOut ? "failed" : "left out";
    return { name: step.name, outcome, tookMs: 0, note: step.missing };
  }
  console.log(`… ${step.name}`);
  const startedMs = performance.now();
  const { code, output } = await execute(step);
  const tookMs = performance.now() - startedMs;
  if (code !== 0 && step.streams !== true) console.log(`\n${output.trimEnd()}\n`);
  return {
    name: step.name,
    outcome: code === 0 ? "passed" : "failed",
    tookMs,
    note: code === 0 ? "" : `ended with ${code}`,
  };
}

/** Ends what is under way; the run then ends by itself. */
export function endSteps(): void {
  for (const child of running) endGroup(child, "SIGTERM");
}

function execute(step: Step): Promise<{ code: string | 0; output: string }> {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...step.args], {
    cwd: root,
    env: { ...process.env, FORCE_COLOR: undefined, NO_COLOR: "1", ...step.env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: process.platform !== "win32",
    windowsHide: true,
  });
  running.add(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      if (step.streams === true) process.stdout.write(chunk);
      else output = (output + chunk.toString("utf8")).slice(-200_000);
    });
  }
  return new Promise((resolve) => {
    const late = setTimeout(() => endGroup(child, "SIGKILL"), step.withinMs ?? 10 * 60_000);
    const end = (code: string | 0): void => {
      clearTimeout(late);
      running.delete(child);
      resolve({ code, output });
    };
    child.once("error", (error) => end(error.message));
    child.once("exit", (code, signal) => {
      endGroup(child, "SIGKILL");
      end(code === 0 ? 0 : (signal ?? `exit code ${code}`));
    });
  });
}

function endGroup(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === "win32") child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
