/**
 * Turns what others stored into text for a terminal.
 *
 * What can go wrong: a key or value from outside may hold escape sequences that rewrite the screen, or characters
 * that turn its direction; showing a number through JSON.parse may change it. Promises: nothing that is not
 * printable reaches the terminal unescaped, and JSON is indented as it was written, digit by digit.
 */

/** Controls of both kinds, marks of direction, line separators, unpaired surrogates. */
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;

/** One line. Escaped as in JSON. */
export function printable(text: string): string {
  return text.replace(unprintable, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** In quotes, so that spaces and emptiness are seen. */
export function quoted(text: string): string {
  return printable(JSON.stringify(text));
}

export const asJson = (value: unknown): string =>
  JSON.stringify(value, undefined, 2)
    .split("\n")
    .map((line) => printable(line))
    .join("\n");

export const asJsonLine = (value: unknown): string => printable(JSON.stringify(value));

const shownBytes = 2_048;
const hexRowBytes = 16;

/** Lines for people: indented JSON, text, or else hex. */
export function valueLines(bytes: Buffer, length: "short" | "full"): readonly string[] {
  const shown = length === "full" ? bytes : bytes.subarray(0, shownBytes);
  const hidden = bytes.length - shown.length;
  const text = textOf(bytes);
  const lines = text === undefined ? hexLines(shown) : textLines(text, length);
  return hidden === 0 ? lines : [...lines, `… ${bytes.length} bytes in all; --full shows them`];
}

export type StoredValue =
  | { readonly encoding: "json"; readonly value: unknown }
  | { readonly encoding: "text" | "base64"; readonly value: string };

/** For machines, without loss: JSON only where writing it again gives the same bytes. */
export function storedValue(bytes: Buffer): StoredValue {
  const text = textOf(bytes);
  if (text === undefined) return { encoding: "base64", value: bytes.toString("base64") };
  try {
    const value: unknown = JSON.parse(text);
    if (JSON.stringify(value) === text) return { encoding: "json", value };
  } catch {
    // Then it is text.
  }
  return { encoding: "text", value: text };
}

function textLines(text: string, length: "short" | "full"): string[] {
  const lines = (isJson(text) ? indented(text) : text).split(/\r?\n/).map(printable);
  if (length === "full") return lines;
  const shown: string[] = [];
  let room = shownBytes;
  for (const line of lines) {
    if (room <= 0) break;
    shown.push(line.slice(0, room));
    room -= line.length + 1;
  }
  return shown;
}

/** Undefined where the bytes are no text that a person would want to read. */
function textOf(bytes: Buffer): string | undefined {
  if (bytes.some(isBinary)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Controls but for tabs, breaks and the escape of a coloured text. */
const isBinary = (byte: number): boolean => byte < 9 || (byte > 13 && byte < 32 && byte !== 27);

function isJson(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null;
  } catch {
    return false;
  }
}

/** Valid JSON, on lines of its own; its tokens stay as they are. */
function indented(json: string): string {
  const tokens = json.match(/"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
  let depth = 0;
  let out = "";
  const line = () => `\n${"  ".repeat(depth)}`;
  for (const [index, token] of tokens.entries()) {
    const before = tokens[index - 1];
    const isAfterOpening = before === "{" || before === "[";
    if (token === "}" || token === "]") {
      depth--;
      out += isAfterOpening ? token : line() + token;
      continue;
    }
    if (isAfterOpening || before === ",") out += line();
    if (token === "{" || token === "[") depth++;
    out += token === ":" ? ": " : token;
  }
  return out;
}

function hexLines(bytes: Buffer): string[] {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += hexRowBytes) {
    const row = bytes.subarray(at, at + hexRowBytes);
    const hex = [...row].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const text = row.toString("latin1").replace(/[^\x20-\x7e]/g, ".");
    lines.push(`${at.toString(16).padStart(6, "0")}  ${hex.padEnd(hexRowBytes * 3 - 1)}  ${text}`);
  }
  return lines;
}
