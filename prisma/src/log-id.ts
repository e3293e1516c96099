/** The id of a log, kept in the log's own state: an emptied folder makes a new log with another id. */
import { randomUUID } from "node:crypto";
import { type Engine, QueueError } from "queue-core";

const namespace = "log-identity";
const key = "id";

/** Makes the id where the log has none yet. */
export async function logIdOf(engine: Engine): Promise<string> {
  const kept = async () => (await engine.readState(namespace, [key]))[0]?.toString();
  const known = await kept();
  if (known !== undefined) return known;
  const id = randomUUID();
  try {
    await engine.commit({
      expect: [{ namespace, key, is: "absent" }],
      put: [{ namespace, key, value: Buffer.from(id) }],
    });
    return id;
  } catch (error) {
    const other = error instanceof QueueError && error.code === "CONFLICT" ? await kept() : undefined;
    if (other === undefined) throw error;
    return other;
  }
}
