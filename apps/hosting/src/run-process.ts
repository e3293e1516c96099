/**
 * An app as a process of its own, for any process manager: environment in, log lines out, ended by a signal.
 *
 * Promises: `--help` tells what it reads; a variable that is missing or makes no sense ends it with exit code 1 and
 * one line for each before anything was started; SIGTERM and SIGINT stop it within 5 s with exit code 0; it ends
 * with code 1, rather than going on, when it can no longer do its work. Where data are lost it stays up, says so and
 * does nothing else until an operator accepted that (data-loss.ts).
 */
import type { Logger } from "pino";
import { DataLost, watchLoss } from "./data-loss.ts";
import { type Hosted, hostProcess } from "./hosted-process.ts";
import { createLog } from "./log.ts";
import { StartProblem } from "./start-problem.ts";
import { type LogLevel, values } from "./variable-values.ts";
import { helpOf, readVariables, type Values, type Variables, withDefault } from "./variables.ts";

export interface ProcessOf<V extends Variables, R> {
  readonly name: string;
  /** One sentence, for the help. */
  readonly purpose: string;
  readonly variables: V;
  start(settings: Values<V>, log: Logger): Promise<Hosted<R>>;
  /** What runs while the store lacks what it acknowledged; default: a process that waits. */
  startWithout?(settings: Values<V>, log: Logger, loss: DataLost): Promise<Hosted<R>>;
}

/** Sets the process's exit code by what becomes of it. */
export function runProcess<V extends Variables, R>(app: ProcessOf<V, R>): void {
  process.title = `plateau-${app.name}`;
  const variables = { ...app.variables, LOG_LEVEL: withDefault("how much it tells", values.logLevel, "info") };
  const [option] = process.argv.slice(2);
  if (option === "--help" || option === "-h") {
    console.log(helpOf(app.purpose, variables));
    return;
  }
  hostProcess<R | undefined>(async () => {
    if (option !== undefined) throw new StartProblem(`unknown option ${option}; there is --help`);
    const settings = readVariables(variables, process.env) as Values<V> & { readonly LOG_LEVEL: LogLevel };
    const log = createLog(process.env.PROCESS_NAME ?? app.name, settings.LOG_LEVEL);
    const hosted = await startOrWait(app, settings, log);
    log.info(hosted.ready ?? {}, "ready");
    return hosted;
  });
}

async function startOrWait<V extends Variables, R>(
  app: ProcessOf<V, R>,
  settings: Values<V>,
  log: Logger,
): Promise<Hosted<R | undefined>> {
  try {
    return await app.start(settings, log);
  } catch (error) {
    if (!(error instanceof DataLost)) throw error;
    const meanwhile = await app.startWithout?.(settings, log, error);
    const watch = watchLoss(error, log);
    return {
      ready: meanwhile?.ready,
      failed: watch.accepted,
      stop: async () => {
        watch.stop();
        await meanwhile?.stop();
      },
    };
  }
}
