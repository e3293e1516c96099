import { readdirSync, readFileSync } from "node:fs";
import { format } from "node:util";
import { describe, expect, it, vi } from "vitest";

const text = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
const readme = text("./README.md");
const examples = readdirSync(new URL("./examples/", import.meta.url));

it("the first example has thirty lines or so, and does what it says", async () => {
  expect(text("./examples/limited-sale.ts").split("\n").length).toBeLessThanOrEqual(36);
  const { answers } = await import("./examples/limited-sale.ts");
  expect(answers).toEqual(["won", "won", "has one", "won", "sold out"]);
});

describe("examples", () => {
  it.each(examples)("%s is in the README as it is", (name) => {
    expect(readme).toContain(`\`\`\`ts\n${text(`./examples/${name}`)}\`\`\``);
  });

  it.each(examples.filter((name) => name !== "limited-sale.ts"))("%s prints what its comments say", async (name) => {
    const printed: string[] = [];
    const log = vi.spyOn(console, "log").mockImplementation((...values: unknown[]) => {
      printed.push(format(...values));
    });
    try {
      await import(`./examples/${name.replace(/\.ts$/, "")}.ts`);
    } finally {
      log.mockRestore();
    }
    const said = [...text(`./examples/${name}`).matchAll(/^\s*\/\/ → (.*)$/gm)].map(([, line]) => line);
    expect(said.length).toBeGreaterThan(0);
    expect(printed).toEqual(said);
  });
});

it("every link of the README leads somewhere, and every test that it names exists", () => {
  const links = [...readme.matchAll(/\[([^\]]+)\]\(([^)]+)\)/g)];
  expect(links.length).toBeGreaterThan(30);
  for (const [, label = "", path = ""] of links) {
    if (path.endsWith(".test.ts")) expect(text(`./${path}`)).toContain(`"${label}"`);
    else if (path.endsWith(".ts")) text(`./${path}`);
  }
});
