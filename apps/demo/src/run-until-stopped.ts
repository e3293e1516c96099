/**
 * A whole system in the foreground: Ctrl-C, SIGTERM or the end of whoever started it stops everything; exit code 0
 * then, 1 where something kept it from starting or from going on.
 */
import { StartProblem } from "@plateau/hosting";

interface Foreground {
  readonly broken: Promise<string>;
  stop(): Promise<void>;
}

/** Ends the process. `start` prints what there is to know; aborting its signal ends a start under way. */
export async function runUntilStopped(start: (signal: AbortSignal) => Promise<Foreground>): Promise<never> {
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "disconnect"] as const) {
    process.on(signal, () => stopping.abort());
  }
  process.channel?.unref();
  process.exitCode = await run(start, stopping.signal).catch((error: unknown) => {
    if (stopping.signal.aborted) return 0;
    console.error(error instanceof StartProblem ? error.message : error);
    return 1;
  });
  // A proxied connection or a timer of a library must not keep a stopped system alive.
  process.exit();
}

async function run(start: (signal: AbortSignal) => Promise<Foreground>, signal: AbortSignal): Promise<number> {
  const system = await start(signal);
  try {
    const stopped = new Promise<undefined>((resolve) => {
      if (signal.aborted) resolve(undefined);
      signal.addEventListener("abort", () => resolve(undefined), { once: true });
    });
    const problem = await Promise.race([stopped, system.broken]);
    if (problem === undefined) return 0;
    console.error(problem);
    return 1;
  } finally {
    await system.stop();
  }
}

/** A token that somebody set is theirs, and not for a terminal's history. */
export function announce({ url, sandboxUrl }: { url: string; sandboxUrl: string }, adminToken: string): void {
  const lines = [
    ["shop", url],
    ["live page", `${url}/live`],
    ["orders", `${url}/orders`],
    ["SMS inbox", `${url}/messages`],
    ["control room", `${url}/ops`],
    ["API docs", `${url}/api/docs`],
    ["operations", `${url}/api/ops/audit  with  Authorization: Bearer ${adminToken}`],
    ["metrics", `${url}/metrics`],
    ["providers", `${sandboxUrl}  (payment, SMS and risk score)`],
  ];
  console.log(lines.map(([name = "", address = ""]) => `  ${name.padEnd(12)} ${address}`).join("\n"));
  console.log(`ready ${url}`);
}
