import { createMemoryEngine, defineTopic, openQueue } from "queue-core";

const orders = defineTopic<string>({ name: "orders", partitions: 1, keyOf: (order) => order });
const queue = await openQueue({ engine: createMemoryEngine(), topics: [orders], onBackgroundError: () => {} });
const database = new Map<string, "placed" | "never placed">();

/** The first row of a key stays: INSERT … ON CONFLICT DO NOTHING, then a look at what is there. */
const insert = async (order: string, row: "placed" | "never placed") => {
  if (!database.has(order)) database.set(order, row);
  return database.get(order) === "placed" ? "commit" : "rollback";
};
const sender = await queue.transactional<string>({
  group: "order-service",
  topic: orders,
  checkAfterMs: 20,
  // Any instance of the group is asked when a sender gave no answer. Its row keeps a transaction out that still runs.
  checkBack: ({ value }) => insert(value, "never placed"),
});

await sender.publish(["o-1"], () => insert("o-1", "placed"));
await sender.publish(["o-2"], async () => "rollback");
await sender.publish(["o-3"], async () => {
  await insert("o-3", "placed");
  throw new Error("the connection broke before the answer came");
});
while ((await queue.browse(orders, 0, 0, 10)).length < 2) await new Promise(setImmediate);
console.log((await queue.browse(orders, 0, 0, 10)).map(({ value }) => value));
// → [ 'o-1', 'o-3' ]
await queue.stop();
