/**
 * The experiment as a process of its own, so that it shares neither thread nor memory with a shop that runs beside
 * it. It tells each change of its report to whoever started it, and ends when
 * told to or when that one is gone.
 */
import { setPriority } from "node:os";
import { hostProcess, StartProblem, tellNews } from "@plateau/hosting";
import { startExperiment } from "./experiment.ts";

process.title = "plateau-four-ways";

hostProcess<Record<string, never>>(async () => {
  const { DATABASE_URL, SANDBOX_URL, FOUR_WAYS_FOLDER, FOUR_WAYS_SEED, FOUR_WAYS_SIZE, FOUR_WAYS_NICENESS } =
    process.env;
  if (DATABASE_URL === undefined || SANDBOX_URL === undefined || FOUR_WAYS_FOLDER === undefined) {
    throw new StartProblem("DATABASE_URL, SANDBOX_URL and FOUR_WAYS_FOLDER are needed");
  }
  // Beside a shop: on a busy machine that goes first.
  setPriority(Number(FOUR_WAYS_NICENESS ?? "0"));
  const experiment = startExperiment({
    databaseUrl: DATABASE_URL,
    sandboxUrl: SANDBOX_URL,
    folder: FOUR_WAYS_FOLDER,
    seed: Number(FOUR_WAYS_SEED ?? "1"),
    size: FOUR_WAYS_SIZE === "small" ? "small" : "usual",
    onReport: tellNews,
  });
  return { ready: {}, stop: () => experiment.stop() };
});
