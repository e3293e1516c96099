import type { Purchase } from "@plateau/domain/http";
import { expect, test } from "vitest";
import type { Reply } from "../browser/api.ts";
import { type EventStream, follow } from "./follow.ts";

const purchase = (state: Purchase["state"]): Purchase => ({
  id: "s_1.x",
  saleId: "s_1",
  userId: "u_1",
  quantity: 1,
  state,
});

class Stream implements EventStream {
  readonly #listeners = new Map<string, (event: { readonly data?: unknown }) => void>();
  readyState = 1;
  addEventListener(type: string, listener: (event: { readonly data?: unknown }) => void): void {
    this.#listeners.set(type, listener);
  }
  close(): void {
    this.readyState = 2;
  }
  tell(state: Purchase["state"]): void {
    this.#listeners.get("purchase")?.({ data: JSON.stringify(purchase(state)) });
  }
  fail(): void {
    this.#listeners.get("error")?.({});
  }
}

/** Answers to polls, in order; the last one is repeated. A wait ends at once, but for other work to be done first. */
function bed(stream: Stream | undefined, answers: readonly Reply<Purchase>[] = []) {
  const shown: string[] = [];
  let asked = 0;
  const ended = Promise.withResolvers<void>();
  const following = follow({
    openEvents: () => stream,
    ask: async () => answers[Math.min(asked++, answers.length - 1)] ?? { kind: "lost" },
    wait: () => new Promise((resolve) => setImmediate(resolve)),
    show: ({ state }) => {
      shown.push(state);
      if (state !== "queued" && state !== "won") ended.resolve();
    },
  });
  return { shown, following, ended: ended.promise, asked: () => asked };
}

const answer = (state: Purchase["state"]): Reply<Purchase> => ({ kind: "ok", status: 200, body: purchase(state) });

test("it shows each event until nothing can change, then closes the stream", () => {
  const stream = new Stream();
  const { shown } = bed(stream);
  for (const state of ["queued", "won", "paid"] as const) stream.tell(state);
  expect(shown).toEqual(["queued", "won", "paid"]);
  expect(stream.readyState).toBe(2);
});

test("what comes late never takes an end back", () => {
  const stream = new Stream();
  const { shown } = bed(stream);
  stream.tell("won");
  stream.tell("queued");
  stream.tell("payment_expired");
  stream.tell("won");
  expect(shown).toEqual(["won", "payment_expired"]);
});

test("a stream that fails twice, or for good, is replaced by polling", async () => {
  const twice = new Stream();
  const first = bed(twice, [answer("queued"), { kind: "lost" }, answer("sold_out")]);
  twice.fail();
  expect(first.asked()).toBe(0);
  twice.fail();
  await first.ended;
  expect(first.shown).toEqual(["queued", "sold_out"]);

  const refused = new Stream();
  refused.readyState = 2;
  const second = bed(refused, [answer("paid")]);
  refused.fail();
  await second.ended;
  expect(second.shown).toEqual(["paid"]);
});

test("without streams at all it polls from the start", async () => {
  const { shown, ended } = bed(undefined, [answer("queued"), answer("won"), answer("paid")]);
  await ended;
  expect(shown).toEqual(["queued", "won", "paid"]);
});

test("once stopped nothing is shown any more", () => {
  const stream = new Stream();
  const { shown, following } = bed(stream);
  following.stop();
  stream.tell("won");
  expect(shown).toEqual([]);
});
