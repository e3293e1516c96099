/**
 * The timer port: everything in queue-core that waits for time does it here, so that a simulation or a test can
 * drive time by hand.
 *
 * What can go wrong: a timer that nobody cancels keeps a process alive after `stop()`; therefore `after` hands
 * back the one way to cancel it, and every owner calls it. Node fires delays above 2^31 - 1 ms at once; longer
 * ones are cut to that, and every caller looks at the clock again when it wakes.
 */
export interface Timers {
  /** Calls `run` once after `ms`, unless the returned function is called first. */
  after(ms: number, run: () => void): () => void;
}

const longestMs = 2 ** 31 - 1;

/** Node's own timers. */
export const systemTimers: Timers = {
  after(ms, run) {
    const handle = setTimeout(run, Math.min(Math.max(ms, 0), longestMs));
    return () => clearTimeout(handle);
  },
};
