import { expect, it } from "vitest";
import type { StoredMessage } from "./engine.ts";
import { gapDetector, type SequenceAnomaly } from "./sequence-numbers.ts";

const place = { group: "watchers", topic: "notes", partition: 0 };

/** Message `number` of one producer, which knows the outcome of all before it. */
function message(number: number, offset: number): StoredMessage {
  const headers = { ext: { "queue-core.sequence": `${number}:${number - 1}::p1` } };
  return { ...place, offset, key: "k", value: Buffer.alloc(0), headers, timestampMs: 0 };
}

it("an owner that stood still while others read, and retention took what they had read, misses nothing", () => {
  const anomalies: SequenceAnomaly[] = [];
  const detector = gapDetector({ onAnomaly: (anomaly) => anomalies.push(anomaly) });
  detector.onTakeOver?.(place, 0);
  detector.onReceive?.(message(1, 0), place.group);
  // Asked for offset 1; the oldest that is left is 5.
  detector.onReceive?.(message(6, 5), place.group);
  detector.onReceive?.(message(7, 6), place.group);
  expect(anomalies).toEqual([]);
  detector.onReceive?.(message(9, 7), place.group);
  expect(anomalies).toEqual([{ ...place, producer: "p1", kind: "gap", missing: [{ from: 8, to: 8 }] }]);
});
