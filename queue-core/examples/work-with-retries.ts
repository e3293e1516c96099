import { createMemoryEngine, dead, defineTopic, done, openQueue, retry } from "queue-core";

const texts = defineTopic<{ to: string; text: string }>({ name: "texts", partitions: 2, keyOf: ({ to }) => to });
const queue = await openQueue({ engine: createMemoryEngine(), topics: [texts], onBackgroundError: () => {} });

let providerIsUp = false;
const sent: string[] = [];
const dispatch = await queue.consume<{ to: string; text: string }>({
  group: "dispatch",
  topic: texts,
  maxAttempts: 3,
  handle: async ([message]) => {
    if (message === undefined) return done;
    if (message.value.to === "nobody") return dead("there is no such number");
    if (!providerIsUp) return retry({ afterMs: 1, error: new Error("no connection") });
    sent.push(message.value.to);
    return done;
  },
});

await queue.publish(texts, { to: "nobody", text: "hello" });
await queue.publish(texts, { to: "ann", text: "won" });
while (dispatch.statistics().deadLettered < 2) await new Promise(setImmediate);
for (const { message, reason, history } of await queue.deadLetters("dispatch", texts, 10)) {
  console.log(`${message.value?.to}: ${reason} (${history.length})`);
}
// → nobody: there is no such number (1)
// → ann: gave up after 3 attempts: no connection (3)

providerIsUp = true;
console.log(await queue.redrive("dispatch", texts));
// → 2
while (sent.length === 0) await new Promise(setImmediate);
console.log(sent);
// → [ 'ann' ]
await queue.stop();
