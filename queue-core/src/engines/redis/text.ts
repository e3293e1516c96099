/**
 * Text as Redis keeps it: UTF-8, but each UTF-16 code unit by itself (CESU-8).
 *
 * What can go wrong: plain UTF-8 has no form for an unpaired surrogate, so that two keys would become one; and its
 * bytes sort characters beyond U+FFFF after U+FFEE, where JavaScript sorts them before. Promises: every string comes
 * back as it was given, and bytes sort as code units do. Text without surrogates, nearly all of it, is plain UTF-8.
 */

const surrogates = /[\ud800-\udfff]/;

/** A string where its UTF-8 is right already, for that is cheaper to send. */
export function textArgument(text: string): string | Buffer {
  return surrogates.test(text) ? encodeUnits(text) : text;
}

export function encodeText(text: string): Buffer {
  return surrogates.test(text) ? encodeUnits(text) : Buffer.from(text, "utf8");
}

export function decodeText(bytes: Buffer): string {
  // Only surrogates begin with ED A0 or more.
  for (let at = bytes.indexOf(0xed); at !== -1; at = bytes.indexOf(0xed, at + 1)) {
    if ((bytes[at + 1] ?? 0) >= 0xa0) return decodeUnits(bytes);
  }
  return bytes.toString("utf8");
}

function encodeUnits(text: string): Buffer {
  const bytes = Buffer.allocUnsafe(text.length * 3);
  let at = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) {
      bytes[at++] = unit;
      continue;
    }
    if (unit < 0x800) {
      bytes[at++] = 0xc0 | (unit >> 6);
    } else {
      bytes[at++] = 0xe0 | (unit >> 12);
      bytes[at++] = 0x80 | ((unit >> 6) & 0x3f);
    }
    bytes[at++] = 0x80 | (unit & 0x3f);
  }
  return bytes.subarray(0, at);
}

function decodeUnits(bytes: Buffer): string {
  const units: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at] as number;
    const second = (bytes[at + 1] ?? 0) & 0x3f;
    if (first < 0x80) {
      units.push(String.fromCharCode(first));
      at += 1;
    } else if (first < 0xe0) {
      units.push(String.fromCharCode(((first & 0x1f) << 6) | second));
      at += 2;
    } else {
      const third = (bytes[at + 2] ?? 0) & 0x3f;
      units.push(String.fromCharCode(((first & 0x0f) << 12) | (second << 6) | third));
      at += 3;
    }
  }
  return units.join("");
}
