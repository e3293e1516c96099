/**
 * The server's clock in the browser: countdowns follow it, not the visitor's watch.
 *
 * What can go wrong: a slow network makes one reading late by half its round trip, so several are taken and the
 * one with the lowest round trip counts; a machine that slept, or whose monotonic clock stopped meanwhile, would run
 * behind, so the clock is set anew when the page wakes; a reading that fails leaves the last one standing.
 */
export interface Reading {
  /** Monotonic ms just before asking and just after the answer. */
  readonly askedAt: number;
  readonly answeredAt: number;
  /** Server time in the answer, ms since the epoch. */
  readonly serverMs: number;
}

/** Server time minus monotonic time, from the reading with the lowest round trip; undefined without any. */
export function offsetOf(readings: readonly Reading[]): number | undefined {
  const best = readings.reduce<Reading | undefined>(
    (lowest, reading) => (lowest === undefined || roundTrip(reading) < roundTrip(lowest) ? reading : lowest),
    undefined,
  );
  return best === undefined ? undefined : best.serverMs - (best.askedAt + best.answeredAt) / 2;
}

const roundTrip = (reading: Reading) => reading.answeredAt - reading.askedAt;

export interface ServerClock {
  /** Server time, ms since the epoch. */
  now(): number;
  /** A first guess from the rendered page, used until the first synchronisation. */
  seed(serverMs: number): void;
  synchronise(): Promise<void>;
}

export interface ClockDeps {
  readonly monotonic: () => number;
  /** Server time in ms; undefined when it could not be had. */
  readonly askServer: () => Promise<number | undefined>;
  readonly samples: number;
}

export function createServerClock({ monotonic, askServer, samples }: ClockDeps): ServerClock {
  let offset: number | undefined;
  let measured = false;
  let running: Promise<void> | undefined;

  const measure = async () => {
    const readings: Reading[] = [];
    for (let sample = 0; sample < samples; sample += 1) {
      const askedAt = monotonic();
      const serverMs = await askServer();
      if (serverMs !== undefined) readings.push({ askedAt, answeredAt: monotonic(), serverMs });
    }
    const found = offsetOf(readings);
    if (found === undefined) return;
    offset = found;
    measured = true;
  };

  return {
    now: () => monotonic() + (offset ?? 0),
    seed(serverMs) {
      if (!measured && offset === undefined) offset = serverMs - monotonic();
    },
    synchronise() {
      running ??= measure().finally(() => {
        running = undefined;
      });
      return running;
    },
  };
}
