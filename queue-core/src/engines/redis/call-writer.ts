/**
 * Writes the MessagePack that call.lua reads, https://github.com/msgpack/msgpack/blob/master/spec.md.
 *
 * What can go wrong: an envelope that costs more than the messages. Promise: one growing buffer is used again for
 * every call. Places and namespaces are told once and spoken of by their number, from 1 as Lua counts.
 */
import { encodeText } from "./text.ts";

export interface Place {
  readonly topic: string;
  readonly partition: number;
  /** 0: no ring. */
  readonly ring: number;
}

export class CallWriter {
  #bytes = Buffer.allocUnsafeSlow(64 * 1024);
  #at = 0;
  #places: Place[] = [];
  #placeNumbers = new Map<string, number[]>();
  #namespaces: string[] = [];
  #namespaceNumbers = new Map<string, number>();

  get places(): readonly Place[] {
    return this.#places;
  }

  get namespaces(): readonly string[] {
    return this.#namespaces;
  }

  reset(): void {
    this.#at = 0;
    this.#places = [];
    this.#placeNumbers = new Map();
    this.#namespaces = [];
    this.#namespaceNumbers = new Map();
  }

  /** What was written, in a buffer of its own: it may have to be sent again. */
  copy(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#at));
  }

  placeNumber(place: Place): number {
    let numbers = this.#placeNumbers.get(place.topic);
    if (numbers === undefined) {
      numbers = [];
      this.#placeNumbers.set(place.topic, numbers);
    }
    let number = numbers[place.partition];
    if (number === undefined) {
      number = this.#places.push(place);
      numbers[place.partition] = number;
    }
    return number;
  }

  namespaceNumber(namespace: string): number {
    let number = this.#namespaceNumbers.get(namespace);
    if (number === undefined) {
      number = this.#namespaces.push(namespace);
      this.#namespaceNumbers.set(namespace, number);
    }
    return number;
  }

  /** That many values follow. */
  array(length: number): void {
    this.#reserve(5);
    if (length < 16) {
      this.#bytes[this.#at++] = 0x90 | length;
    } else {
      this.#bytes[this.#at++] = 0xdd;
      this.#at = this.#bytes.writeUInt32BE(length, this.#at);
    }
  }

  boolean(value: boolean): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = value ? 0xc3 : 0xc2;
  }

  /** What is not there; Lua has no room for nil in an array. */
  none(): void {
    this.boolean(false);
  }

  number(value: number): void {
    this.#reserve(9);
    if (Number.isInteger(value) && value >= 0 && value < 2 ** 32) {
      if (value < 128) {
        this.#bytes[this.#at++] = value;
      } else {
        this.#bytes[this.#at++] = 0xce;
        this.#at = this.#bytes.writeUInt32BE(value, this.#at);
      }
      return;
    }
    // Lua knows doubles alone, and so does JavaScript.
    this.#bytes[this.#at++] = 0xcb;
    this.#at = this.#bytes.writeDoubleBE(value, this.#at);
  }

  bytes(value: Uint8Array): void {
    const length = value.length;
    this.#reserve(5 + length);
    if (length < 32) {
      this.#bytes[this.#at++] = 0xa0 | length;
    } else {
      this.#bytes[this.#at++] = 0xdb;
      this.#at = this.#bytes.writeUInt32BE(length, this.#at);
    }
    this.#bytes.set(value, this.#at);
    this.#at += length;
  }

  text(text: string): void {
    const { length } = text;
    this.#reserve(5 + length);
    const start = this.#at;
    if (length < 32) {
      // Most texts are short and ASCII: written and checked in one pass, without a buffer of their own.
      let at = start;
      this.#bytes[at++] = 0xa0 | length;
      let index = 0;
      for (; index < length; index++) {
        const unit = text.charCodeAt(index);
        if (unit > 0x7f) break;
        this.#bytes[at++] = unit;
      }
      if (index === length) {
        this.#at = at;
        return;
      }
    }
    this.bytes(encodeText(text));
  }

  #reserve(size: number): void {
    const needed = this.#at + size;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}
