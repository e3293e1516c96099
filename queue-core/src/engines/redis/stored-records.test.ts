/** The bytes in Redis: text as it was given, and nothing damaged taken for good. */
import { describe, expect, it } from "vitest";
import { QueueError } from "../../errors.ts";
import { decodeEntry, decodeMessage, encodeEntry, MessageEncoder } from "./stored-records.ts";
import { decodeText, encodeText } from "./text.ts";

const texts = [
  "",
  "a",
  "sale:1",
  "größe",
  "秒杀",
  "\uffee",
  "\u{1f600}",
  "\ud800",
  "\udfff",
  "a\ud800b",
  "\u0000",
  "\u07ff\u0800",
];
const place = { topic: "t", partition: 0, offset: 3, timestampMs: 5 };

const codeOf = (work: () => unknown): string | undefined => {
  try {
    work();
  } catch (error) {
    return error instanceof QueueError ? error.code : String(error);
  }
};

describe("text", () => {
  it.each(texts)("comes back as it was given: %j", (text) => {
    expect(decodeText(encodeText(text))).toBe(text);
  });

  it("sorts as bytes like its code units do", () => {
    const byUnits = [...texts].sort();
    const byBytes = [...texts].sort((left, right) => Buffer.compare(encodeText(left), encodeText(right)));
    expect(byBytes).toEqual(byUnits);
  });
});

describe("records", () => {
  it("are CORRUPT with any bit of a message flipped", () => {
    const headers = { id: "i", ext: { a: "b" } };
    const value = Buffer.from("value");
    const record = Buffer.from(new MessageEncoder().encode({ topic: "t", partition: 0, key: "k", value, headers }));
    expect(decodeMessage(record, place)).toEqual({ ...place, key: "k", value, headers });
    for (let bit = 0; bit < record.length * 8; bit++) {
      const damaged = Buffer.from(record);
      damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(codeOf(() => decodeMessage(damaged, place))).toBe("CORRUPT");
    }
  });

  it.each([undefined, 1_700_000_000_000])(
    "are CORRUPT with any bit of an entry flipped that expires at %s",
    (expiresAtMs) => {
      const value = Buffer.from("value");
      const entry = encodeEntry(value, expiresAtMs);
      expect(decodeEntry(entry, 0, () => "k")?.equals(value)).toBe(true);
      for (let bit = 0; bit < entry.length * 8; bit++) {
        const damaged = Buffer.from(entry);
        damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
        expect(codeOf(() => decodeEntry(damaged, 0, () => "k"))).toBe("CORRUPT");
      }
    },
  );
});
