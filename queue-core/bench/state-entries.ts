/** State entries of 120 bytes in two classes: results that live an hour, and buyers that live a day. */
import type { Engine, StateWrite } from "../src/index.ts";
import { inFlight } from "./in-flight.ts";

const entryBytes = 120;
const perCommit = 64;

export const classes = {
  result: { lifeMs: 3_600_000 },
  buyer: { lifeMs: 24 * 3_600_000 },
} as const;

const padding = "x".repeat(entryBytes);

/** Writes `count` entries, the numbers of which `numberAt` gives; those of even number are results. */
export async function writeEntries(
  engine: Engine,
  namespace: string,
  count: number,
  numberAt: (index: number) => number = (index) => index,
): Promise<void> {
  await inFlight(Math.ceil(count / perCommit), 16, (commit) => {
    const first = commit * perCommit;
    const length = Math.min(perCommit, count - first);
    return engine.commit({
      put: Array.from({ length }, (_, index) => entry(engine, namespace, numberAt(first + index))),
    });
  });
}

export function keyOf(number: number): string {
  return `${number % 2 === 0 ? "result" : "buyer"}:sale-1:user-${1_000_000 + number}`;
}

function entry(engine: Engine, namespace: string, number: number): StateWrite {
  const { lifeMs } = number % 2 === 0 ? classes.result : classes.buyer;
  const value = Buffer.from(`{"n":${number},"note":"${padding}`.slice(0, entryBytes - 2).concat('"}'));
  return { namespace, key: keyOf(number), value, expiresAtMs: engine.now() + lifeMs };
}
