/**
 * What a process has started, to be stopped in reverse order.
 *
 * Promises: where a later part does not start, those before it are stopped again; one that fails to stop does not
 * keep the others from it.
 */
export class StopList {
  readonly #stops: (() => Promise<unknown>)[] = [];

  /** Gives the part back, so that a start reads as one line. */
  add<T>(part: T, stop: (part: T) => Promise<unknown>): T {
    this.#stops.push(() => stop(part));
    return part;
  }

  /** Rejects with the first problem, after everything was tried. */
  async stop(): Promise<void> {
    const problems: unknown[] = [];
    for (const stopOne of this.#stops.splice(0).reverse()) {
      await stopOne().catch((error: unknown) => problems.push(error));
    }
    if (problems.length > 0) throw problems[0];
  }
}

/** Runs a start; where it fails, what it added is stopped again. */
export async function startWith<T>(start: (parts: StopList) => Promise<T>): Promise<{ started: T; parts: StopList }> {
  const parts = new StopList();
  try {
    return { started: await start(parts), parts };
  } catch (error) {
    await parts.stop().catch(() => undefined);
    throw error;
  }
}
