/** Keeps a fixed number of calls under way until all are done: many independent publishers, each awaiting its own. */

/** Elapsed ms; writes each call's own time where `latenciesMs` is given. Rejects with the first failure. */
export async function inFlight(
  calls: number,
  width: number,
  call: (number: number) => Promise<unknown>,
  latenciesMs?: Float64Array,
): Promise<number> {
  let next = 0;
  const callUntilDone = async (): Promise<void> => {
    while (next < calls) {
      const number = next++;
      const startedMs = performance.now();
      await call(number);
      if (latenciesMs !== undefined) latenciesMs[number] = performance.now() - startedMs;
    }
  };
  const startedMs = performance.now();
  await Promise.all(Array.from({ length: width }, callUntilDone));
  return performance.now() - startedMs;
}
