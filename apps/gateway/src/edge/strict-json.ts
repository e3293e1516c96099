/**
 * Parses a JSON body the strict way.
 *
 * What can go wrong: `JSON.parse` lets the last of two equal keys win, so that two readers of one body may see two
 * orders; and `__proto__` as a key reaches objects it should not. Both are refused.
 */

/** Throws a SyntaxError for malformed JSON, a duplicate key, or a key that reaches for prototypes. */
export function parseStrictJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (!isPlainlySafe(text)) checkKeys(text);
  return value;
}

/** At most one colon means at most one key; without an escape it reads as it is written. */
function isPlainlySafe(text: string): boolean {
  const colon = text.indexOf(":");
  if (colon === -1) return true;
  return text.indexOf(":", colon + 1) === -1 && !text.includes("__proto__") && !text.includes("\\");
}

/** Walks text that is known to be well-formed JSON: a string followed by a colon is a key of the innermost object. */
function checkKeys(text: string): void {
  const open: (Set<string> | undefined)[] = [];
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === "{") open.push(new Set());
    else if (char === "[") open.push(undefined);
    else if (char === "}" || char === "]") open.pop();
    else if (char === '"') {
      const end = endOfString(text, at);
      if (nextVisible(text, end) === ":") noteKey(open[open.length - 1], JSON.parse(text.slice(at, end)) as string);
      at = end - 1;
    }
  }
}

function noteKey(keys: Set<string> | undefined, key: string): void {
  if (key === "__proto__" || key === "constructor" || key === "prototype") {
    throw new SyntaxError(`the key ${JSON.stringify(key)} is not allowed`);
  }
  if (keys === undefined) return;
  if (keys.has(key)) throw new SyntaxError(`the key ${JSON.stringify(key)} stands there twice`);
  keys.add(key);
}

/** The index behind the closing quote. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

function nextVisible(text: string, from: number): string | undefined {
  let at = from;
  while (text[at] === " " || text[at] === "\n" || text[at] === "\r" || text[at] === "\t") at++;
  return text[at];
}
