/** A process that stores and reads one message at REDIS_ADDRESS, and prints what became of it in one line. */
import { checkRedis } from "./check-redis.ts";
import { openRedisEngine } from "./open-redis-engine.ts";

const address = { url: process.env.REDIS_ADDRESS ?? "" };
try {
  await checkRedis({ address });
  const engine = await openRedisEngine({ address });
  await engine.declareTopics([{ name: "orders", partitions: 1 }]);
  const message = { topic: "orders", partition: 0, key: "a", value: Buffer.from("over TLS") };
  await engine.commit({ append: [message] });
  const [read] = await engine.read("orders", 0, 0, { maxMessages: 1 });
  console.log(`read: ${read?.value}`);
  await engine.close();
} catch (error) {
  console.log(error instanceof Error ? error.message : error);
}
