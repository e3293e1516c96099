/** Pictures are part of every clone: each is shown somewhere, is small, and says in words what it shows. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const pictures = readdirSync(join(root, "docs/pictures"));
const texts = ["README.md", "docs/tour.md"].map((path) => readFileSync(join(root, path), "utf8")).join("\n");

it.each(pictures)("%s is shown with words that replace it, and weighs less than 300 kB", (name) => {
  const [, alt = ""] = new RegExp(`!\\[([^\\]]*)\\]\\([^)]*pictures/${name}\\)`).exec(texts) ?? [];
  expect(alt.length).toBeGreaterThan(20);
  expect(statSync(join(root, "docs/pictures", name)).size).toBeLessThan(300_000);
});
