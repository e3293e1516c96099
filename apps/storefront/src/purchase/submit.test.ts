import type { Purchase } from "@plateau/domain/http";
import type { ProblemCode } from "@plateau/domain/problems";
import { expect, test } from "vitest";
import type { Reply } from "../browser/api.ts";
import { submit, type View } from "./submit.ts";
import { createTries } from "./tries.ts";

const won: Purchase = { id: "s_1.x", saleId: "s_1", userId: "u_1", quantity: 1, state: "won" };
const ok: Reply<Purchase> = { kind: "ok", status: 201, body: won };
const lost: Reply<Purchase> = { kind: "lost" };

function problem(code: ProblemCode, members: object = {}, retryAfterMs?: number): Reply<Purchase> {
  const body = { type: `/problems/${code}`, title: code, status: 400, code, ...members };
  return { kind: "problem", status: 400, code, problem: body, retryAfterMs };
}

async function run(replies: readonly Reply<Purchase>[]) {
  let keys = 0;
  const tries = createTries(
    { userId: "u_1", saleId: "s_1" },
    { storage: undefined, nowMs: () => 0, newKey: () => `key-${++keys}` },
  );
  const sent: string[] = [];
  const waited: number[] = [];
  const shown: View[] = [];
  const left = [...replies];
  const stands = await submit({
    tries,
    send: async (key) => {
      sent.push(key);
      return left.shift() ?? lost;
    },
    wait: async (ms) => void waited.push(ms),
    waitForNetwork: async (ms) => void waited.push(ms),
    random: () => 0,
    show: (view) => shown.push(view),
  });
  return { tries, sent, waited, shown, stands };
}

test("an answer that was lost is asked for again with the same key", async () => {
  const { sent, stands, shown } = await run([lost, lost, ok]);
  expect(sent).toEqual(["key-1", "key-1", "key-1"]);
  expect(stands).toEqual({ kind: "known", purchase: won });
  expect(shown.map(({ kind }) => kind)).toEqual(["submitting", "lost", "lost", "known"]);
});

test("a fault of the gateway is no answer either", async () => {
  expect((await run([problem("internal-error"), ok])).stands.kind).toBe("known");
});

test("without any answer it gives up in the end and keeps the key, so that asking again cannot buy twice", async () => {
  const { stands, tries } = await run([]);
  expect(stands).toEqual({ kind: "stuck" });
  expect(tries.begin().key).toBe("key-1");
});

test("turned away before anything was published it waits as long as told and sends the same key", async () => {
  const { sent, waited, stands } = await run([problem("throttled", {}, 3_000), problem("overloaded"), ok]);
  expect(waited).toEqual([3_000, 2_000]);
  expect(new Set(sent)).toEqual(new Set(["key-1"]));
  expect(stands.kind).toBe("known");
});

test("turned away again and again it tells the shopper instead of knocking for ever", async () => {
  const away = problem("overloaded", {}, 1_000);
  const { sent, stands } = await run([away, away, away, away, away, away, away]);
  expect(sent).toHaveLength(6);
  expect(stands).toEqual({ kind: "refused", code: "overloaded" });
});

test("a purchase that ended is an answer that stands: the next try has a new key", async () => {
  const { sent, stands, tries } = await run([problem("expired", { purchaseId: "s_1.x" }, 1_000)]);
  expect(sent).toHaveLength(1);
  expect(stands).toEqual({ kind: "refused", code: "expired" });
  expect(tries.begin().key).toBe("key-2");
});

test("a rejection carries its reason", async () => {
  const { stands } = await run([problem("risk-rejected", { purchaseId: "s_1.x", reason: "velocity" })]);
  expect(stands).toEqual({ kind: "refused", code: "risk-rejected", reason: "velocity" });
});
