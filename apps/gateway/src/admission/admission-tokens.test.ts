import { defaultKnobs, type Knobs } from "@plateau/domain";
import { createMemoryEngine, manualClock } from "queue-core";
import { afterEach, expect, test } from "vitest";
import type { GatewayCompany } from "../gateway-options.ts";
import { type AdmissionTokens, openAdmissionTokens } from "./admission-tokens.ts";

const opened: AdmissionTokens[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((tokens) => tokens.stop()));
});

function world(first: Partial<Knobs>) {
  const clock = manualClock();
  const engine = createMemoryEngine({ clock });
  let knobs: Knobs = { ...defaultKnobs, ...first };
  return {
    clock,
    set(part: Partial<Knobs>) {
      knobs = { ...knobs, ...part };
    },
    async gateway(company: GatewayCompany) {
      const onBackgroundError = (where: string, error: unknown) => {
        throw new Error(where, { cause: error });
      };
      const tokens = await openAdmissionTokens({ company, engine, knobs: () => knobs, onBackgroundError });
      opened.push(tokens);
      return tokens;
    },
  };
}

async function grantedOf(tokens: readonly AdmissionTokens[], times: number): Promise<number> {
  let granted = 0;
  for (let n = 0; n < times; n++) {
    for (const one of tokens) if ((await one.take()).ok) granted++;
  }
  return granted;
}

test("alone: the burst at once, then none without time; a change of the rate counts from the next try on", async () => {
  const { gateway, set, clock } = world({ tokenRatePerSecond: 10, tokenBurst: 5 });
  const tokens = await gateway("alone");
  expect(await grantedOf([tokens], 9)).toBe(5);
  clock.advance(200);
  expect(await grantedOf([tokens], 9)).toBe(2);
  set({ tokenRatePerSecond: 0 });
  expect(await grantedOf([tokens], 100)).toBe(100);
});

test("beside others: together they admit no more than one would, and a full bucket sends nobody away", async () => {
  const { gateway } = world({ tokenRatePerSecond: 10, tokenBurst: 8 });
  const both = [await gateway("beside-others"), await gateway("beside-others")];
  expect(await grantedOf(both, 1)).toBe(2);
  expect(await grantedOf(both, 8)).toBeLessThanOrEqual(6);
});

test("beside others: a change of the rate counts for all of them", async () => {
  const { gateway, set, clock } = world({ tokenRatePerSecond: 1_000, tokenBurst: 1_000 });
  const both = [await gateway("beside-others"), await gateway("beside-others")];
  await grantedOf(both, 1);
  set({ tokenRatePerSecond: 2, tokenBurst: 2 });
  await grantedOf(both, 1);
  clock.advance(60_000);
  expect(await grantedOf(both, 10)).toBeLessThanOrEqual(4);
});
