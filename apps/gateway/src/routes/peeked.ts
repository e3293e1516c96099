/**
 * Messages as the control room shows them.
 *
 * What can go wrong: a value may be large, or nobody's JSON, or hold what nobody should see. Above a size it is left
 * out; what is called a token, a secret or the like is left out whatever it is.
 */
import type { PeekedMessage } from "@plateau/domain";
import type { StoredMessage, Topic } from "queue-core";

const shownMaxBytes = 4_096;
const hidden = /token|secret|password|authorization|cookie|card/i;

type Peekable = Pick<StoredMessage, "partition" | "offset" | "timestampMs" | "key" | "value">;

export function peeked(topic: Topic<unknown>, message: Peekable): PeekedMessage {
  const { partition, offset, timestampMs, key, value } = message;
  return { partition, offset, atMs: timestampMs, key, valueBytes: value.length, ...readable(topic, value) };
}

function readable(topic: Topic<unknown>, bytes: Buffer): Pick<PeekedMessage, "value" | "unreadable"> {
  if (bytes.length > shownMaxBytes) return { value: null, unreadable: "too-large" };
  try {
    return { value: withoutSecrets(topic.codec.decode(bytes)), unreadable: null };
  } catch {
    return { value: null, unreadable: "not-decodable" };
  }
}

function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [name, hidden.test(name) ? "(hidden)" : withoutSecrets(part)]),
  );
}
