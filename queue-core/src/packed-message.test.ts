import fc from "fast-check";
import { expect, it } from "vitest";
import { packMessage, unpackMessage } from "./packed-message.ts";

it("a packed message comes back byte for byte", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.string({ unit: "binary" })), fc.uint8Array(), (head, bytes) => {
      const unpacked = unpackMessage(packMessage(head, Buffer.from(bytes)));
      expect(unpacked.head).toEqual(JSON.parse(JSON.stringify(head)));
      expect(Buffer.compare(unpacked.value, Buffer.from(bytes))).toBe(0);
    }),
  );
});

it("bytes that are too short to be a packed message are CORRUPT", () => {
  const packed = packMessage({ key: "k" }, Buffer.alloc(0));
  for (const bytes of [Buffer.alloc(0), packed.subarray(0, 3), packed.subarray(0, packed.length - 1)]) {
    expect(() => unpackMessage(bytes)).toThrow("CORRUPT");
  }
});
