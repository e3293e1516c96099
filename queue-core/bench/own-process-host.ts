/** The other side of own-process.ts: does one job and ends. */
import type { OwnProcessAnswer, OwnProcessJob } from "./own-process.ts";

process.once("message", async ({ module, name, argument }: OwnProcessJob) => {
  const answer = await answerTo(module, name, argument);
  process.send?.(answer);
});

async function answerTo(module: string, name: string, argument: unknown): Promise<OwnProcessAnswer> {
  try {
    const exported = (await import(module)) as Record<string, (argument: unknown) => Promise<unknown>>;
    const run = exported[name];
    if (run === undefined) throw new Error(`${module} exports no ${name}`);
    return { kind: "result", result: await run(argument) };
  } catch (error) {
    return { kind: "error", message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
