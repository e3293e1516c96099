/** Faults of the providers: they refuse, they do the work and lose the answer, they take their time. */
import type { Fault, Ground, Struck } from "./fault.ts";

const lengthMs = 3_000;

const ills = [
  { name: "refuses every other call", order: { failEvery: 2 } },
  { name: "loses every other answer after the work", order: { loseEvery: 2 } },
  { name: "takes 800 ms", order: { latencyMs: 800 } },
] as const;

export function providerFaults(service: "payments" | "sms" | "risk"): readonly Fault[] {
  return ills.map(({ name, order }) => ({
    name: `the provider of ${service} ${name}`,
    lengthMs,
    impossible: undefined,
    strike: (ground) => strike(ground, service, order),
  }));
}

async function strike(ground: Ground, service: string, order: object): Promise<Struck> {
  await put(ground, service, order);
  return {
    heal: () => put(ground, service, {}),
    evidence: () => `for ${lengthMs} ms`,
  };
}

/** Replaces all faults of the service; none are as usual. */
async function put({ system, signal }: Ground, service: string, order: object): Promise<void> {
  const answer = await fetch(`${system.sandboxUrl}/faults/${service}`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(order),
    signal,
  });
  if (!answer.ok) throw new Error(`the sandbox answered ${answer.status} to faults of ${service}`);
  await answer.arrayBuffer();
}
