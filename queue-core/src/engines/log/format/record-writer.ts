/**
 * A growing buffer and the records written to it: numbers, texts and bytes as layout.ts draws them.
 *
 * What can go wrong: growth in the middle of a record. Promise: nothing is written beyond the buffer, and one buffer
 * is used again for everything.
 */
const varintBytes = 8;

export class RecordWriter {
  #bytes: Buffer;
  /** Where the next record goes. */
  at: number;
  readonly #start: number;

  /** @param start what stays free in front, for a header. */
  constructor(start: number, capacity: number) {
    this.#start = start;
    this.at = start;
    this.#bytes = Buffer.allocUnsafeSlow(capacity);
  }

  reset(): void {
    this.at = this.#start;
  }

  /** What was written, with the free bytes in front; valid until the next write. */
  written(): Buffer {
    return this.#bytes.subarray(0, this.at);
  }

  /** What was written, with the free bytes in front, in a buffer of its own. */
  copy(): Buffer {
    const bytes = Buffer.allocUnsafeSlow(this.at);
    this.#bytes.copy(bytes, 0, 0, this.at);
    return bytes;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.at++] = value;
  }

  /** Leaves a byte to be set later. */
  leaveByte(): number {
    this.#reserve(1);
    return this.at++;
  }

  setByte(at: number, value: number): void {
    this.#bytes[at] = value;
  }

  double(value: number): void {
    this.#reserve(8);
    this.at = this.#bytes.writeDoubleLE(value, this.at);
  }

  varint(value: number): void {
    this.#reserve(varintBytes);
    this.#varint(value);
  }

  bytes(value: Uint8Array): void {
    this.#reserve(varintBytes + value.length);
    this.#varint(value.length);
    this.#bytes.set(value, this.at);
    this.at += value.length;
  }

  /** Without its length. */
  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.at);
    this.at += value.length;
  }

  /** Most keys are short and narrow: one pass writes and checks them, faster than a call into native code. */
  text(text: string): void {
    const length = text.length;
    this.#reserve(varintBytes + length * 2);
    const start = this.at;
    this.#varint(length * 2);
    const bytes = this.#bytes;
    let at = this.at;
    for (let index = 0; index < length; index++) {
      const unit = text.charCodeAt(index);
      if (unit > 0xff) {
        this.at = start;
        this.#varint(length * 2 + 1);
        this.at += bytes.write(text, this.at, length * 2, "utf16le");
        return;
      }
      bytes[at++] = unit;
    }
    this.at = at;
  }

  /** Room for it must have been reserved. */
  #varint(value: number): void {
    const bytes = this.#bytes;
    let at = this.at;
    let rest = value;
    // Above 31 bits the bitwise operators would cut the number.
    while (rest > 0x7fffffff) {
      bytes[at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 127) {
      bytes[at++] = (rest & 127) | 0x80;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    this.at = at;
  }

  #reserve(size: number): void {
    const needed = this.at + size;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.at);
    this.#bytes = larger;
  }
}
