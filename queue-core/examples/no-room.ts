import { createMemoryEngine, defineTopic, openQueue, QueueError } from "queue-core";

const requests = defineTopic<number>({
  name: "requests",
  partitions: 1,
  keyOf: String,
  backlog: { maxMessages: 2 },
});
const queue = await openQueue({ engine: createMemoryEngine(), topics: [requests] });
try {
  for (let number = 0; ; number++) await queue.publish(requests, number);
} catch (error) {
  if (!(error instanceof QueueError)) throw error;
  console.log(error.code, error.outcome, error.retryable);
  // → OVERLOADED not_stored true
}
await queue.stop();
