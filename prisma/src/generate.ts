/**
 * Generates the database client from `schema.prisma` into `prisma/generated`, offline and only when the schema
 * or Prisma's version changed.
 *
 * What can go wrong: Prisma's command line insists on downloading its schema engine, though generating does not
 * need it; an empty file named as that engine keeps it from the network. (Never apply migrations that way: they
 * would be reported as applied without being so. See migrate.ts.) A generation cut short leaves no stamp, so the
 * next run does it again.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const workspace = dirname(dirname(fileURLToPath(import.meta.url)));
const schemaPath = join(workspace, "schema.prisma");
const stampPath = join(workspace, "generated", ".generated-from");

/** Resolves to "generated", or "unchanged" where the client already fits the schema. Throws with Prisma's own output. */
export function generateClient(): "generated" | "unchanged" {
  const require = createRequire(import.meta.url);
  const prismaPackage = require.resolve("prisma/package.json");
  const version = (JSON.parse(readFileSync(prismaPackage, "utf8")) as { version: string }).version;
  const stamp = createHash("sha256").update(version).update("\n").update(readFileSync(schemaPath)).digest("hex");
  if (readStamp() === stamp) return "unchanged";

  const scratch = mkdtempSync(join(tmpdir(), "plateau-generate-"));
  try {
    const engine = join(scratch, "no-schema-engine");
    writeFileSync(engine, "");
    chmodSync(engine, 0o755);
    rmSync(stampPath, { force: true });
    const commandLine = join(dirname(prismaPackage), "build", "index.js");
    const run = spawnSync(process.execPath, [commandLine, "generate", "--schema", schemaPath], {
      cwd: workspace,
      encoding: "utf8",
      env: {
        ...process.env,
        PRISMA_SCHEMA_ENGINE_BINARY: engine,
        CHECKPOINT_DISABLE: "1",
        PRISMA_HIDE_UPDATE_MESSAGE: "1",
      },
    });
    if (run.status !== 0) throw new Error(`prisma generate failed:\n${run.stdout ?? ""}${run.stderr ?? ""}`);
    writeFileSync(stampPath, stamp);
    return "generated";
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function readStamp(): string | undefined {
  try {
    return readFileSync(stampPath, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(`database client: ${generateClient()}`);
}
