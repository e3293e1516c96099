/**
 * One value that many processes share: read at any moment, changed now and then. Settings, say.
 *
 *   change ──► one commit that expects the version it was made from ──► `get` here; `get` everywhere, moments later
 *
 * Contracts:
 * - `get` asks nobody: it gives the newest version that has come here.
 * - Changes of all processes follow one after another, each made from the one before; `change` resolves when it is
 *   stored, and `get` shows it here from then on.
 * - Where nobody has stored a value yet, each process has the `initial` it was opened with, and stores nothing.
 * - A durable engine keeps the value across restarts.
 * - `stop` leaves nothing behind; `get` goes on with what was last seen.
 *
 * What can go wrong:
 * - Two change at once: the commit of one is refused (CONFLICT), and its change is made again from the other's.
 * - A value stored by a newer or older program does not decode here: the last one that did stays in use, which is
 *   reported, and a change is refused rather than made from something else.
 */
import type { Engine } from "./engine.ts";
import { checkName, sharedValueNamespace } from "./namespaces.ts";
import { guardedReport, hasCode, isEngineEnd } from "./queue-context.ts";

const valueKey = "value";
const marker = Buffer.alloc(0);

/** What a shared value is opened with. */
export interface SharedValueOptions<T> {
  readonly engine: Engine;
  /** Those with the same name share. */
  readonly name: string;
  readonly initial: T;
  /** From the JSON that was stored; throws where it does not fit. */
  decode(stored: unknown): T;
  /** Hears of values that could not be read. Default: a process warning. */
  readonly onBackgroundError?: (where: string, error: unknown) => void;
}

/** Made by `openSharedValue`. */
export interface SharedValue<T> {
  get(): T;
  /** Resolves with the value stored. `next` may run again, from a newer value; what it throws changes nothing. */
  change(next: (before: T) => T): Promise<T>;
  stop(): void;
}

/** Resolves when the newest stored value was read. Values are stored as JSON. */
export async function openSharedValue<T>(options: SharedValueOptions<T>): Promise<SharedValue<T>> {
  checkName("value", options.name);
  const value = new Shared(options);
  await value.open();
  return value;
}

class Shared<T> implements SharedValue<T> {
  readonly #options: SharedValueOptions<T>;
  readonly #namespace: string;
  #version = 0;
  #current: T;
  #unsubscribe: () => void = () => undefined;

  constructor(options: SharedValueOptions<T>) {
    this.#options = options;
    this.#namespace = sharedValueNamespace(options.name);
    this.#current = options.initial;
  }

  async open(): Promise<void> {
    // First, lest a change between the two goes unseen.
    this.#unsubscribe = this.#options.engine.onStateChange(this.#namespace, () => {
      this.#refresh().catch((error: unknown) => this.#report(error));
    });
    try {
      await this.#refresh();
    } catch (error) {
      this.#unsubscribe();
      throw error;
    }
  }

  get(): T {
    return this.#current;
  }

  async change(next: (before: T) => T): Promise<T> {
    for (;;) {
      await this.#refresh();
      const version = this.#version;
      const value = next(this.#current);
      try {
        await this.#store(version, value);
        this.#adopt(version + 1, value);
        return value;
      } catch (error) {
        if (!hasCode(error, "CONFLICT")) throw error;
        // Somebody else was faster. Once this commit is visible so is that one.
        await this.#options.engine.commit({});
      }
    }
  }

  stop(): void {
    this.#unsubscribe();
  }

  async #refresh(): Promise<void> {
    const [stored] = await this.#options.engine.readState(this.#namespace, [valueKey]);
    if (stored === undefined) return;
    const { version, value } = JSON.parse(stored.toString("utf8")) as { version: number; value: unknown };
    if (version > this.#version) this.#adopt(version, this.#options.decode(value));
  }

  #adopt(version: number, value: T): void {
    if (version <= this.#version) return;
    this.#version = version;
    this.#current = value;
  }

  async #store(version: number, value: T): Promise<void> {
    const namespace = this.#namespace;
    const before = versionKey(version);
    await this.#options.engine.commit({
      expect: [version === 0 ? { namespace, key: valueKey, is: "absent" } : { namespace, key: before, is: "present" }],
      put: [
        ...(version === 0 ? [] : [{ namespace, key: before, value: null }]),
        { namespace, key: versionKey(version + 1), value: marker },
        { namespace, key: valueKey, value: Buffer.from(JSON.stringify({ version: version + 1, value })) },
      ],
    });
  }

  #report(error: unknown): void {
    if (isEngineEnd(error)) return;
    guardedReport(this.#options.onBackgroundError)(`shared value ${this.#options.name}`, error);
  }
}

const versionKey = (version: number): string => `version-${version}`;
