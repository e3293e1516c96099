import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

const text = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
const readme = text("./README.md");

it("the example of the README is the one in the repository, has thirty lines or so, and does what it says", async () => {
  const example = text("./examples/limited-sale.ts");
  expect(readme).toContain(`\`\`\`ts\n${example}\`\`\``);
  expect(example.split("\n").length).toBeLessThanOrEqual(36);
  const { answers } = await import("./examples/limited-sale.ts");
  expect(answers).toEqual(["won", "won", "has one", "won", "sold out"]);
});

it("every link of the README leads somewhere, and every test that it names exists", () => {
  const links = [...readme.matchAll(/\[([^\]]+)\]\(([^)]+)\)/g)];
  expect(links.length).toBeGreaterThan(30);
  for (const [, label = "", path = ""] of links) {
    if (path.endsWith(".test.ts")) expect(text(`./${path}`)).toContain(`"${label}"`);
    else if (path.endsWith(".ts")) text(`./${path}`);
  }
});
