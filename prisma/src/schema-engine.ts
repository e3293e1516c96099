/**
 * Prisma's schema engine as WebAssembly, so that migrations are applied without downloading a binary.
 *
 * The package's own entry point imports its `.wasm` file as an ES module, which Node only does behind a flag; here
 * the same bindings are given the instantiated module by hand, so every process can migrate. Costs about 0.1 s.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { PrismaPg } from "@prisma/adapter-pg";
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } from "@prisma/driver-adapter-utils";
import type { SchemaEngine } from "@prisma/schema-engine-wasm/schema_engine_bg";
import * as bindings from "@prisma/schema-engine-wasm/schema_engine_bg";

const workspace = dirname(dirname(fileURLToPath(import.meta.url)));
export const schemaFile = join(workspace, "schema.prisma");
export const migrationsFolder = join(workspace, "migrations");

/** The part used here of a global that Node has and its types lack. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: Record<string, Record<string, unknown>>,
  ) => { readonly exports: Record<string, unknown> };
};

let loaded = false;

function load(): void {
  if (loaded) return;
  const require = createRequire(import.meta.url);
  const path = join(dirname(require.resolve("@prisma/schema-engine-wasm/schema_engine_bg")), "schema_engine_bg.wasm");
  const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(path)), {
    "./schema_engine_bg.js": Object.fromEntries(Object.entries(bindings).map(importable)),
  });
  bindings.__wbg_set_wasm(instance.exports);
  (instance.exports.__wbindgen_start as () => void)();
  loaded = true;
}

/** The engine never clears its 10 s lock timer, which would keep a process alive that is otherwise done. */
function importable([name, binding]: [string, unknown]): [string, unknown] {
  const original = binding as (...args: readonly unknown[]) => unknown;
  if (!name.startsWith("__wbg_setTimeout_")) return [name, original];
  return [
    name,
    (...args: readonly unknown[]) => {
      const setTimer = globalThis.setTimeout;
      const setLooseTimer = (callback: () => void, delayMs: number) => setTimer(callback, delayMs).unref();
      globalThis.setTimeout = setLooseTimer as typeof setTimeout;
      try {
        return original(...args);
      } finally {
        globalThis.setTimeout = setTimer;
      }
    },
  ];
}

/**
 * The engine leaves connections open when it is freed; these are closed by their owner. And it asks the catalogue
 * for columns of PostgreSQL's internal type "char", which the adapter refuses to read; they
 * are read as text and handed over as single characters.
 */
const oneByteColumns = /\b(constr\.contype|con\.confdeltype|con\.confupdtype)\b/g;
const oneByteColumnNames = new Set(["constraint_type", "confdeltype", "confupdtype"]);

class ClosablePg extends PrismaPg {
  readonly #opened: { dispose(): Promise<void> }[] = [];

  override async connect(): ReturnType<PrismaPg["connect"]> {
    const connection = await super.connect();
    this.#opened.push(connection);
    const query = connection.queryRaw.bind(connection);
    connection.queryRaw = async (asked) => {
      const result = await query({ ...asked, sql: asked.sql.replaceAll(oneByteColumns, "$1::text") });
      const columnTypes = result.columnNames.map((name, index) =>
        oneByteColumnNames.has(name) ? ColumnTypeEnum.Character : (result.columnTypes[index] ?? ColumnTypeEnum.Text),
      );
      return { ...result, columnTypes };
    };
    return connection;
  }

  async close(): Promise<void> {
    await Promise.all(this.#opened.splice(0).map((connection) => connection.dispose()));
  }
}

/** Runs `work` with a schema engine connected to `url`; the connection is closed afterwards. */
export async function withSchemaEngine<T>(url: string, work: (engine: SchemaEngine) => Promise<T>): Promise<T> {
  load();
  const connections = new ClosablePg({ connectionString: url, max: 1 });
  const datamodels: [string, string][] = [[schemaFile, readFileSync(schemaFile, "utf8")]];
  try {
    const adapter = bindMigrationAwareSqlAdapterFactory(connections);
    const engine = await bindings.SchemaEngine.new({ datamodels }, () => undefined, adapter);
    try {
      return await work(engine);
    } finally {
      engine.free();
    }
  } finally {
    await connections.close();
  }
}
