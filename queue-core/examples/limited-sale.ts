import { createMemoryEngine, defineTopic, openQueue } from "queue-core";

interface Purchase {
  readonly user: string;
  readonly sale: string;
}

const purchases = defineTopic<Purchase>({ name: "purchases", partitions: 4, keyOf: (purchase) => purchase.sale });
const queue = await openQueue({ engine: createMemoryEngine(), topics: [purchases] });

await queue.process<Purchase>({
  group: "stock",
  topic: purchases,
  keys: ({ sale, user }) => [`left:${sale}`, `buyer:${sale}:${user}`],
  decide: ({ value: { sale, user } }, state) => {
    const left = state.get<number>(`left:${sale}`) ?? 3;
    if (state.get(`buyer:${sale}:${user}`) !== undefined) return { reply: "has one" };
    if (left === 0) return { reply: "sold out" };
    const writes = [
      { key: `left:${sale}`, value: left - 1 },
      { key: `buyer:${sale}:${user}`, value: true },
    ];
    return { writes, reply: "won" };
  },
});

const gateway = await queue.requester();
const buy = (user: string) =>
  gateway.send<Purchase, string>(purchases, { user, sale: "s1" }, { timeoutMs: 2_000 }).reply;
export const answers = await Promise.all(["ann", "bob", "ann", "cem", "dan"].map(buy));
console.log(answers.join(", ")); // won, won, has one, won, sold out
await queue.stop();
