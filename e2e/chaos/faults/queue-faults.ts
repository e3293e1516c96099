/** Faults inside the queue: replies that never come or come late, and messages that nobody can read. */
import { setTimeout as sleep } from "node:timers/promises";
import { poisonable } from "@plateau/domain";
import type { Engine } from "queue-core";
import { openRedisEngine } from "queue-core/redis";
import type { Fault, Ground, Struck } from "./fault.ts";

const lengthMs = 3_000;

const ills = [
  { name: "every second reply is lost", order: { loseEvery: 2 } },
  { name: "replies come up to 1.5 s late, out of order", order: { delayMs: 1_500 } },
] as const;

export const queueFaults: readonly Fault[] = [
  ...ills.map(
    ({ name, order }): Fault => ({
      name,
      lengthMs,
      impossible: undefined,
      notAt: "idle",
      async strike(ground) {
        await call(ground, "PUT", "replies", order);
        return {
          heal: async () => void (await call(ground, "PUT", "replies", {})),
          evidence: () => `for ${lengthMs} ms`,
        };
      },
    }),
  ),
  { name: "a poison message in every topic", lengthMs: 0, impossible: undefined, strike: poison },
];

/** Each must end among the dead letters, and hold up nobody. */
async function poison(ground: Ground): Promise<Struck> {
  for (const topic of poisonable) await call(ground, "POST", "poison", { topic });
  return { heal: async () => undefined, evidence: () => `in ${poisonable.join(", ")}` };
}

async function call({ system, signal }: Ground, method: string, what: string, body: object): Promise<void> {
  const answer = await fetch(`${system.url}/api/ops/faults/${what}`, {
    method,
    headers: { authorization: `Bearer ${system.adminToken}`, "content-type": "application/json" },
    body: JSON.stringify(body),
    signal,
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${what} answered ${answer.status}: ${text}`);
}

/** From outside the system, into the store: the newest replies of every gateway once more, the later ones first. */
export function repeatedReplies(redisUrl: string): readonly Fault[] {
  return [
    {
      name: "replies come twice, the second time in reverse",
      lengthMs,
      impossible: undefined,
      notAt: "idle",
      async strike({ signal }) {
        const engine = await openRedisEngine({ address: { url: redisUrl } });
        const stopping = new AbortController();
        let repeated = 0;
        const repeating = (async () => {
          while (!signal.aborted && !stopping.signal.aborted) {
            repeated += await repeatNewest(engine);
            await sleep(20);
          }
        })();
        return {
          async heal() {
            stopping.abort();
            await repeating.finally(() => engine.close());
          },
          evidence: () => (repeated === 0 ? undefined : `${repeated} replies came again`),
        };
      },
    },
  ];
}

const repliesTopic = "replies";
const repeatedAtOnce = 20;

async function repeatNewest(engine: Engine): Promise<number> {
  const { partitions = 0 } = engine.topic(repliesTopic) ?? {};
  let repeated = 0;
  for (let partition = 0; partition < partitions; partition++) {
    const { end } = await engine.range(repliesTopic, partition);
    if (end === 0) continue;
    const from = Math.max(0, end - repeatedAtOnce);
    const newest = await engine.read(repliesTopic, partition, from, { maxMessages: repeatedAtOnce });
    const again = newest.map(({ key, value }) => ({ topic: repliesTopic, partition, key, value }));
    if (again.length > 0) await engine.commit({ append: again.reverse() });
    repeated += again.length;
  }
  return repeated;
}
