/**
 * What a visitor is looking for, among the goods of the shelf and the sales that have a title of their own. Every
 * word must be found, in any of the languages; what bears it in its name comes before what only mentions it.
 */
export interface Findable {
  /** In every language. */
  readonly names: readonly string[];
  readonly descriptions: readonly string[];
}

/** Longer than any name; what is longer is cut. */
const queryMaxLength = 100;

export function wordsOf(query: string): string[] {
  return folded(query.slice(0, queryMaxLength))
    .split(/[\s,，、]+/)
    .filter((word) => word !== "");
}

/** The best first, else in the order given; everything where nothing is looked for. */
export function find<Thing extends Findable>(things: readonly Thing[], query: string): Thing[] {
  const words = wordsOf(query);
  return things
    .map((thing) => ({ thing, misses: missesOf(thing, words) }))
    .filter(({ misses }) => misses !== undefined)
    .toSorted((a, b) => (a.misses ?? 0) - (b.misses ?? 0))
    .map(({ thing }) => thing);
}

/** How many words stand only in the description; undefined where one stands nowhere. */
function missesOf({ names, descriptions }: Findable, words: readonly string[]): number | undefined {
  const name = folded(names.join("\n"));
  const all = `${name}\n${folded(descriptions.join("\n"))}`;
  return words.every((word) => all.includes(word)) ? words.filter((word) => !name.includes(word)).length : undefined;
}

/** One form for what reads the same: case, full-width letters, accents. */
const folded = (text: string): string => text.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase();
