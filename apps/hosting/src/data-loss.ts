/**
 * Redis lacks what it acknowledged: nothing is sold until an operator takes the data as they are.
 *
 * What can go wrong: a process that ends because of it is started again by its process manager, and again, with nobody
 * who says why; or it goes on as soon as Redis answers. Promises: a process that finds it out at its start stays up,
 * says so in its log now and every `tellAgainMs`, and does nothing else; once the loss was accepted it ends, for
 * whoever manages it to start it anew.
 */
import type { Logger } from "pino";
import { StartProblem } from "./start-problem.ts";

/** Thrown by a start. */
export class DataLost extends StartProblem {
  /** Whether an operator has accepted it by now. Rejects where nobody can tell. */
  readonly isAccepted: () => Promise<boolean>;

  constructor(reason: string, isAccepted: () => Promise<boolean>) {
    super(`data are lost: ${reason}`);
    this.isAccepted = isAccepted;
  }
}

const lookEveryMs = 1_000;
const tellAgainMs = 60_000;

export interface LossWatch {
  /** Resolves with the reason to start anew. */
  readonly accepted: Promise<string>;
  stop(): void;
}

/** Logs the loss, and looks whether it was accepted. */
export function watchLoss(loss: DataLost, log: Logger): LossWatch {
  const { promise, resolve } = Promise.withResolvers<string>();
  let toldAtMs = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  const look = async (): Promise<void> => {
    if (performance.now() - toldAtMs >= tellAgainMs) {
      toldAtMs = performance.now();
      log.error(`${loss.message}. Nothing is sold until an operator accepts the loss`);
    }
    if (await loss.isAccepted().catch(() => false)) resolve("the loss of data was accepted; starting anew");
    else if (!isStopped) timer = setTimeout(look, lookEveryMs);
  };
  timer = setTimeout(look, 0);
  return {
    accepted: promise,
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
