/**
 * Applies `migrations/<name>/migration.sql` in the order of their names, offline, by Prisma's own engine.
 *
 * Promises: a migration runs once (Prisma's `_prisma_migrations` table records it, with a checksum); two processes
 * that migrate at once wait for each other (the engine takes an advisory lock); a migration that failed half way is
 * reported and blocks the next start instead of being skipped. Where everything is applied as it stands here, the
 * engine is not even loaded, so that each of many processes may migrate at its start.
 */
import { hash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { MigrationList, SchemaFilter } from "@prisma/schema-engine-wasm/schema_engine_bg";
import { openDatabase } from "./database.ts";
import { migrationsFolder, schemaFile, withSchemaEngine } from "./schema-engine.ts";

const everything: SchemaFilter = { externalTables: [], externalEnums: [] };

/** Brings the database at `url` up to date; resolves with the names of the migrations just applied. */
export async function migrate(url: string): Promise<readonly string[]> {
  const migrationsList = await listMigrations();
  if (await isUpToDate(url, migrationsList)) return [];
  return withSchemaEngine(url, async (engine) => {
    const { appliedMigrationNames } = await engine.applyMigrations({ migrationsList, filters: everything });
    return appliedMigrationNames;
  });
}

/** The SQL that would take the database at `url` to `schema.prisma`; empty when both agree. CHECK constraints are not compared. */
export async function differenceToSchema(url: string): Promise<string> {
  const content = await readFile(schemaFile, "utf8");
  return withSchemaEngine(url, async (engine) => {
    const difference = await engine.diff({
      from: { tag: "schemaDatasource", files: [{ path: schemaFile, content }], configDir: dirname(schemaFile) },
      to: { tag: "schemaDatamodel", files: [{ path: schemaFile, content }] },
      script: true,
      exitCode: null,
      filters: everything,
    });
    return (difference.stdout ?? "").replace("-- This is an empty migration.", "").trim();
  });
}

/** Exactly these are recorded, all finished, none changed since. */
async function isUpToDate(url: string, { migrationDirectories }: MigrationList): Promise<boolean> {
  const db = openDatabase(url, { poolSize: 1 });
  try {
    const rows = await db.$queryRaw<{ migration_name: string; checksum: string; finished: boolean }[]>`
      SELECT migration_name, checksum, finished_at IS NOT NULL AND rolled_back_at IS NULL AS finished
      FROM _prisma_migrations ORDER BY migration_name`;
    const wanted = migrationDirectories.map(({ path, migrationFile: { content } }) => {
      const text = content.tag === "ok" ? content.value : "";
      return `${path} ${hash("sha256", text, "hex")} true`;
    });
    const found = rows.map(({ migration_name, checksum, finished }) => `${migration_name} ${checksum} ${finished}`);
    return found.join("\n") === wanted.join("\n");
  } catch {
    // No such table, or no such database: the engine finds out and tells.
    return false;
  } finally {
    await db.$disconnect();
  }
}

async function listMigrations(): Promise<MigrationList> {
  const entries = await readdir(migrationsFolder, { withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  return {
    baseDir: migrationsFolder,
    lockfile: {
      path: "migration_lock.toml",
      content: await readFile(join(migrationsFolder, "migration_lock.toml"), "utf8"),
    },
    shadowDbInitScript: "",
    migrationDirectories: await Promise.all(
      names.map(async (name) => ({
        path: name,
        migrationFile: {
          path: "migration.sql",
          content: { tag: "ok" as const, value: await readFile(join(migrationsFolder, name, "migration.sql"), "utf8") },
        },
      })),
    ),
  };
}
