/**
 * Reads the records that record-writer.ts wrote.
 *
 * What can go wrong: a length that points beyond the bytes. Promise: it ends in a RangeError, at the latest at the
 * next `assertInside`.
 */
export class RecordReader {
  readonly #records: Buffer;
  at: number;

  constructor(records: Buffer, at: number) {
    this.#records = records;
    this.at = at;
  }

  /** Throws RangeError once something was read beyond the end. */
  assertInside(): void {
    if (this.at > this.#records.length) throw new RangeError("a record reaches beyond its end");
  }

  /** Throws RangeError where bytes are left over. */
  assertAtEnd(): void {
    if (this.at !== this.#records.length) throw new RangeError("there are more bytes than records");
  }

  byte(): number {
    const byte = this.#records[this.at++];
    if (byte === undefined) throw new RangeError("a record reaches beyond its end");
    return byte;
  }

  varint(): number {
    let value = this.byte();
    if (value < 128) return value;
    value &= 127;
    for (let factor = 128; factor <= 2 ** 49; factor *= 128) {
      const byte = this.byte();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
    throw new RangeError("a number has too many digits");
  }

  double(): number {
    const value = this.#records.readDoubleLE(this.at);
    this.at += 8;
    return value;
  }

  text(): string {
    const header = this.varint();
    const start = this.at;
    const length = header >>> 1;
    if ((header & 1) === 1) {
      this.at += length * 2;
      return this.#records.toString("utf16le", start, this.at);
    }
    this.at += length;
    return this.#records.toString("latin1", start, this.at);
  }

  skipText(): void {
    const header = this.varint();
    this.at += (header & 1) === 1 ? header - 1 : header >>> 1;
  }

  bytes(): Buffer {
    const length = this.varint();
    const start = this.at;
    this.at += length;
    this.assertInside();
    return this.#records.subarray(start, this.at);
  }

  skipBytes(): void {
    const length = this.varint();
    this.at += length;
  }
}
