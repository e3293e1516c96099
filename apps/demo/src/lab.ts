/**
 * `npm run lab`: the labs; `npm run lab -- 01 [--seed N]`: one of them, on a PostgreSQL and an outside world that it
 * starts and removes itself (DATABASE_URL: in a schema of its own there). Ends with exit code 0 only when everything
 * held that the lab has to show.
 */
import { StartProblem } from "@plateau/hosting";
import { labs } from "@plateau/labs";
import { runFourWaysLab } from "./four-ways-lab.ts";

const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "disconnect"] as const) process.on(signal, () => stopping.abort());
process.channel?.unref();

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  if (stopping.signal.aborted) return 130;
  console.error(error instanceof StartProblem ? error.message : error);
  return 1;
});
// A timer of a library must not keep a lab alive that is over.
process.exit();

async function main(args: readonly string[]): Promise<number> {
  const [number, ...rest] = args;
  if (number === undefined) {
    console.log(labs.map((lab) => `  ${lab.number}  ${lab.title} (about ${lab.takesS} s)`).join("\n"));
    console.log("npm run lab -- <number> runs one");
    return 0;
  }
  const lab = labs.find((one) => Number(one.number) === Number(number));
  if (lab === undefined) {
    throw new StartProblem(`there is no lab ${number}; there are ${labs.map((one) => one.number).join(", ")}`);
  }
  const seed = seedOf(rest);
  console.log(`lab ${lab.number}: ${lab.title}\nabout ${lab.takesS} s, seed ${seed}; Ctrl-C stops it`);
  return (await runFourWaysLab(seed, stopping.signal)) === "pass" ? 0 : 1;
}

function seedOf(args: readonly string[]): number {
  const [option, value, ...more] = args;
  if (option === undefined) return 1;
  const isSeed = option === "--seed" && /^[1-9]\d{0,8}$/.test(value ?? "") && more.length === 0;
  if (!isSeed) throw new StartProblem(`unknown option ${args.join(" ")}; there is --seed <number>`);
  return Number(value);
}
