/**
 * Records of state entries, packed into slabs of 64 KiB outside the JavaScript heap.
 *
 * A million entries as objects were a million keys, values and entries that the garbage collector walks: 480 MB and
 * pauses. As records they cost their bytes, 16 more, and rounding; the collector sees a few thousand slabs.
 *
 *     record, in units of 16 bytes                          free record
 *      0  u32  live:1 apart:1 value bytes:14                 0  u32  0
 *              wide:1 key units:13                           4  u32  unit of the next free record, 0: none
 *      4  u32  owner
 *      8  u48  time of expiry, ms since epoch; all ones: none
 *     14  u16  seconds by which it is noted too early (see expiry-wheel.ts)
 *     16       key, one byte a UTF-16 code unit or two when wide; then the value
 *
 * What can go wrong: memory freed by one size of record and needed for another. A slab holds records of one size, and
 * is free for any other once it is empty; sizes lie at most an eighth apart. A value beyond 3 KiB stays a buffer of
 * its own. An address that was kept longer than its record may meet another one: `isRecord` tells whether it meets
 * one at all, never a place inside one.
 */

import { SlabMemory, type SlabPlace, slabBytes } from "./slab-memory.ts";

const unitBytes = 16;
const unitsPerSlab = slabBytes / unitBytes;
const longestValueInside = 3 * 1024;
const neverMs = 2 ** 48 - 1;

const liveFlag = 0x80000000;
const apartFlag = 0x40000000;
const wideFlag = 0x2000;
const keyUnitsMask = 0x1fff;

/** One per record: the slab's number times units per slab, and the unit in it. Below 2^32. */
export type Address = number;

interface Slab {
  readonly bytes: Buffer;
  readonly words: Uint32Array;
  readonly halves: Uint16Array;
  readonly number: number;
  readonly unitsPerRecord: number;
  live: number;
  /** Unit of the first free record that was used before; 0: none. */
  free: number;
  /** Units from here on were never used. Unit 0 never is, so that 0 can mean none. */
  fresh: number;
}

export class EntrySlabs {
  readonly #slabs: (Slab | undefined)[] = [];
  #count = 0;
  readonly #memory = new SlabMemory();
  /** Slabs with room, by units per record. */
  readonly #withRoom = new Map<number, Slab[]>();
  readonly #apart = new Map<Address, Buffer>();

  /** Slabs held now. */
  get count(): number {
    return this.#count;
  }

  /** `expiresAtMs` may be infinite. The value is copied. */
  add(owner: number, key: string, value: Buffer, expiresAtMs: number): Address {
    const isWide = hasWideUnit(key);
    const keyBytes = isWide ? key.length * 2 : key.length;
    const isApart = value.length > longestValueInside;
    const address = this.#takeRecord(unitsFor(keyBytes + (isApart ? 0 : value.length)));
    const slab = this.#slabOf(address);
    const unit = address % unitsPerSlab;
    const word = unit * 4;
    slab.words[word] = liveFlag | (isApart ? apartFlag : value.length << 14) | (isWide ? wideFlag : 0) | key.length;
    slab.words[word + 1] = owner;
    writeExpiry(slab, unit, expiresAtMs);
    slab.halves[unit * 8 + 7] = 0;
    const bytes = slab.bytes;
    const at = (unit + 1) * unitBytes;
    writeKey(bytes, at, key, isWide);
    if (isApart) this.#apart.set(address, Buffer.from(value));
    else bytes.set(value, at + keyBytes);
    return address;
  }

  /** The record's new address: the same where the new value fits in its place. What is noted of it stays. */
  replace(address: Address, value: Buffer, expiresAtMs: number): Address {
    const slab = this.#slabOf(address);
    const unit = address % unitsPerSlab;
    const meta = slab.words[unit * 4] as number;
    const keyBytes = keyBytesOf(meta);
    if (
      (meta & apartFlag) !== 0 ||
      value.length > longestValueInside ||
      unitsFor(keyBytes + value.length) !== slab.unitsPerRecord
    ) {
      const [owner, key, earliness] = [this.ownerOf(address), this.keyOf(address), this.earlinessOf(address)];
      this.remove(address);
      const after = this.add(owner, key, value, expiresAtMs);
      // The place that was left may be the one that is taken.
      if (after === address) this.setEarliness(after, earliness);
      return after;
    }
    slab.words[unit * 4] = (meta & ~(0x3fff << 14)) | (value.length << 14);
    writeExpiry(slab, unit, expiresAtMs);
    slab.bytes.set(value, (unit + 1) * unitBytes + keyBytes);
    return address;
  }

  remove(address: Address): void {
    const slab = this.#slabOf(address);
    const unit = address % unitsPerSlab;
    const word = unit * 4;
    if (((slab.words[word] as number) & apartFlag) !== 0) this.#apart.delete(address);
    slab.words[word] = 0;
    slab.live--;
    const listed = this.#listOf(slab.unitsPerRecord);
    const wasFull = !hasRoom(slab);
    slab.words[word + 1] = slab.free;
    slab.free = unit;
    if (wasFull) listed.push(slab);
    if (slab.live === 0 && listed.length > 1) this.#giveBack(slab, listed);
  }

  /** False where the address, kept from earlier, is no record's any more. */
  isRecord(address: Address): boolean {
    const slab = this.#slabs[Math.floor(address / unitsPerSlab)];
    if (slab === undefined) return false;
    const unit = address % unitsPerSlab;
    // What lies beyond `fresh` is left over from an earlier use of the slab.
    if (unit >= slab.fresh || (unit - 1) % slab.unitsPerRecord !== 0) return false;
    return (slab.words[unit * 4] as number) !== 0;
  }

  hasKey(address: Address, key: string): boolean {
    const slab = this.#slabOf(address);
    const unit = address % unitsPerSlab;
    const meta = slab.words[unit * 4] as number;
    if ((meta & keyUnitsMask) !== key.length) return false;
    const bytes = slab.bytes;
    let at = (unit + 1) * unitBytes;
    if ((meta & wideFlag) !== 0) return this.keyOf(address) === key;
    for (let index = 0; index < key.length; index++) if (bytes[at++] !== key.charCodeAt(index)) return false;
    return true;
  }

  keyOf(address: Address): string {
    const slab = this.#slabOf(address);
    const unit = address % unitsPerSlab;
    const meta = slab.words[unit * 4] as number;
    const start = (unit + 1) * unitBytes;
    const end = start + keyBytesOf(meta);
    return slab.bytes.toString((meta & wideFlag) === 0 ? "latin1" : "utf16le", start, end);
  }

  /** A copy, which stays as it is when the entry is written again. */
  valueOf(address: Address): Buffer {
    const slab = this.#slabOf(address);
    const unit = address % unitsPerSlab;
    const meta = slab.words[unit * 4] as number;
    if ((meta & apartFlag) !== 0) return this.#apart.get(address) as Buffer;
    const length = (meta >>> 14) & 0x3fff;
    const start = (unit + 1) * unitBytes + keyBytesOf(meta);
    const value = Buffer.allocUnsafe(length);
    slab.bytes.copy(value, 0, start, start + length);
    return value;
  }

  ownerOf(address: Address): number {
    return this.#slabOf(address).words[(address % unitsPerSlab) * 4 + 1] as number;
  }

  /** Whole ms since epoch, or infinite. */
  expiryMsOf(address: Address): number {
    const slab = this.#slabOf(address);
    const unit = address % unitsPerSlab;
    const ms = (slab.halves[unit * 8 + 6] as number) * 2 ** 32 + (slab.words[unit * 4 + 2] as number);
    return ms === neverMs ? Number.POSITIVE_INFINITY : ms;
  }

  earlinessOf(address: Address): number {
    return this.#slabOf(address).halves[(address % unitsPerSlab) * 8 + 7] as number;
  }

  /** At most 65,535. */
  setEarliness(address: Address, seconds: number): void {
    this.#slabOf(address).halves[(address % unitsPerSlab) * 8 + 7] = seconds;
  }

  #slabOf(address: Address): Slab {
    return this.#slabs[Math.floor(address / unitsPerSlab)] as Slab;
  }

  #slabWithRoom(unitsPerRecord: number): Slab {
    const listed = this.#listOf(unitsPerRecord);
    const last = listed[listed.length - 1];
    if (last !== undefined) return last;
    const slab = createSlab(this.#memory.take(), unitsPerRecord);
    this.#slabs[slab.number] = slab;
    this.#count++;
    listed.push(slab);
    return slab;
  }

  #takeRecord(unitsPerRecord: number): Address {
    const slab = this.#slabWithRoom(unitsPerRecord);
    slab.live++;
    let unit = slab.free;
    if (unit !== 0) {
      slab.free = slab.words[unit * 4 + 1] as number;
    } else {
      unit = slab.fresh;
      slab.fresh += unitsPerRecord;
    }
    if (!hasRoom(slab)) this.#listOf(unitsPerRecord).pop();
    return slab.number * unitsPerSlab + unit;
  }

  #listOf(unitsPerRecord: number): Slab[] {
    let listed = this.#withRoom.get(unitsPerRecord);
    if (listed === undefined) {
      listed = [];
      this.#withRoom.set(unitsPerRecord, listed);
    }
    return listed;
  }

  #giveBack(slab: Slab, listed: Slab[]): void {
    listed.splice(listed.lastIndexOf(slab), 1);
    this.#slabs[slab.number] = undefined;
    this.#count--;
    this.#memory.give(slab.number);
  }
}

function createSlab({ number, memory, offset }: SlabPlace, unitsPerRecord: number): Slab {
  return {
    bytes: Buffer.from(memory, offset, slabBytes),
    words: new Uint32Array(memory, offset, slabBytes / 4),
    halves: new Uint16Array(memory, offset, slabBytes / 2),
    number,
    unitsPerRecord,
    live: 0,
    free: 0,
    fresh: 1,
  };
}

function hasRoom(slab: Slab): boolean {
  return slab.free !== 0 || slab.fresh + slab.unitsPerRecord <= unitsPerSlab;
}

function writeExpiry(slab: Slab, unit: number, expiresAtMs: number): void {
  const ms = Math.min(neverMs, Math.max(0, Math.ceil(expiresAtMs)));
  slab.words[unit * 4 + 2] = ms % 2 ** 32;
  slab.halves[unit * 8 + 6] = Math.floor(ms / 2 ** 32);
}

function keyBytesOf(meta: number): number {
  const units = meta & keyUnitsMask;
  return (meta & wideFlag) === 0 ? units : units * 2;
}

function hasWideUnit(key: string): boolean {
  for (let index = 0; index < key.length; index++) if (key.charCodeAt(index) > 0xff) return true;
  return false;
}

/** Most keys are short and narrow: a loop is faster than a call into native code. */
function writeKey(bytes: Buffer, start: number, key: string, isWide: boolean): void {
  if (isWide) {
    bytes.write(key, start, "utf16le");
    return;
  }
  for (let index = 0; index < key.length; index++) bytes[start + index] = key.charCodeAt(index);
}

/** Units of a record of that many bytes of key and value; sizes of more than 16 units lie an eighth apart. */
function unitsFor(bytes: number): number {
  const units = 1 + Math.ceil(bytes / unitBytes);
  if (units <= 16) return units;
  const step = 2 ** (Math.floor(Math.log2(units - 1)) - 3);
  return Math.ceil(units / step) * step;
}
