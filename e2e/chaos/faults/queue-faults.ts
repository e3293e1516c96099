/** Faults inside the queue: replies that never come or come late, and messages that nobody can read. */
import { poisonable } from "@plateau/domain";
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
