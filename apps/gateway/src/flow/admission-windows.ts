/**
 * Publishes what this gateway saw, second by second, so that statistics and audit know of refusals that never
 * became results.
 *
 * What can go wrong: a window published twice would be counted twice, one lost not at all. Each has an id by which
 * the queue recognises a repeat; one that could not be stored is kept and sent again, up to a bound.
 */
import { type AdmissionWindow, admissions } from "@plateau/domain";
import type { Logger } from "pino";
import { type Queue, QueueError } from "queue-core";
import type { FlowMeter } from "./flow-meter.ts";

const keptMax = 10_000;

export class AdmissionWindows {
  readonly #queue: Queue;
  readonly #meter: FlowMeter;
  readonly #log: Logger;
  #kept: AdmissionWindow[] = [];
  #publishing: Promise<void> | undefined;

  constructor(queue: Queue, meter: FlowMeter, log: Logger) {
    this.#queue = queue;
    this.#meter = meter;
    this.#log = log;
  }

  /** Publishes the windows that are over at `nowMs`. One at a time; a call meanwhile joins the one that runs. */
  publish(nowMs: number): Promise<void> {
    this.#publishing ??= this.#publishNow(nowMs).finally(() => {
      this.#publishing = undefined;
    });
    return this.#publishing;
  }

  async #publishNow(nowMs: number): Promise<void> {
    const windows = [...this.#kept, ...this.#meter.takeWindows(nowMs)];
    this.#kept = [];
    const problems: unknown[] = [];
    const failed = (await Promise.all(windows.map((window) => this.#publishOne(window, problems)))).flat();
    this.#kept = failed.slice(-keptMax);
    if (problems.length > 0)
      this.#log.warn({ err: problems[0], windows: problems.length }, "admission windows could not be published; kept");
    if (failed.length > keptMax) this.#log.error({ lost: failed.length - keptMax }, "admission windows were lost");
  }

  /** Resolves with what has to be sent again, and enters why. */
  async #publishOne(window: AdmissionWindow, problems: unknown[]): Promise<AdmissionWindow[]> {
    try {
      await this.#queue.publish(admissions, window, {
        id: `${window.gatewayId}:${window.saleId}:${window.windowStartMs}`,
      });
      return [];
    } catch (error) {
      if (error instanceof QueueError && error.code === "CLOSED") return [];
      problems.push(error);
      return [window];
    }
  }
}
