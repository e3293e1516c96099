/** k6 as a child process: its own output as it comes, none of its own variables from outside, a limit on its time. */
import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const k6 = process.env.K6_PATH ?? "k6";
const k6WithinMs = 5 * 60_000;

/** Throws an error of one line where there is none. */
export function mustHaveK6(): void {
  if (spawnSync(k6, ["version"]).status === 0) return;
  throw new Error("k6 was not found; install it by: go install go.k6.io/k6@v1.8.1 (or set K6_PATH)");
}

/** Resolves with k6's exit code; 99 is a threshold that did not hold. `name`: of a script beside this file. */
export function runK6(name: string, summaryFile: string, variables: Record<string, string>): Promise<number> {
  const inherited = Object.entries(process.env).filter(([key]) => !key.startsWith("K6_"));
  const script = fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
  const args = [
    "run",
    "--quiet",
    "--no-usage-report",
    "--address",
    "127.0.0.1:0",
    "--summary-export",
    summaryFile,
    script,
  ];
  const child = spawn(k6, args, { env: { ...Object.fromEntries(inherited), ...variables }, stdio: "inherit" });
  const late = setTimeout(() => child.kill("SIGKILL"), k6WithinMs);
  // A terminal's Ctrl-C reaches k6 too, which then tears down and ends; this one waits for that.
  const wait = (): void => {};
  process.on("SIGINT", wait);
  const end = (): void => {
    clearTimeout(late);
    process.off("SIGINT", wait);
  };
  return new Promise((resolve, reject) => {
    child.once("error", (error) => {
      end();
      reject(error);
    });
    child.once("exit", (code) => {
      end();
      resolve(code ?? 1);
    });
  });
}
