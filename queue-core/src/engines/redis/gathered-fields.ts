/**
 * Fields of hashes: what many ask for until the next flight leaves is one HMGET for each hash.
 *
 * A gateway looks two entries up for each purchase, a reading of the backlog takes two fields of each partition: by
 * themselves these were half of all commands that Redis got.
 *
 * What can go wrong: a command that grows with the crowd. Promise: at most 1,024 fields go at once, the rest with the
 * next flight. All who asked for a field of a hash share the fate of its command.
 */

export type Field = string | Buffer;
type Values = readonly (Buffer | null)[];

interface Ask {
  readonly fields: readonly Field[];
  resolve(values: Values): void;
  reject(error: unknown): void;
}

interface Hash {
  readonly key: string | Buffer;
  readonly asks: Ask[];
}

interface Parts {
  /** Calls `send` when the flight leaves, with its deadline; resolves once that has resolved. */
  readonly fly: (send: (endMs: number) => Promise<void>) => Promise<void>;
  readonly command: (command: string, args: readonly Field[], endMs: number) => Promise<unknown>;
}

const fieldsAtOnce = 1_024;

export class GatheredFields {
  readonly #fly: Parts["fly"];
  readonly #command: Parts["command"];
  #waiting = new Map<string, Hash>();
  #isBooked = false;

  constructor({ fly, command }: Parts) {
    this.#fly = fly;
    this.#command = command;
  }

  /** In the order of the fields. */
  get(key: string | Buffer, fields: readonly Field[]): Promise<Values> {
    return new Promise((resolve, reject) => {
      const name = typeof key === "string" ? key : key.toString("latin1");
      const hash = this.#waiting.get(name) ?? { key, asks: [] };
      this.#waiting.set(name, hash);
      hash.asks.push({ fields, resolve, reject });
      this.#book();
    });
  }

  #book(): void {
    if (this.#isBooked) return;
    this.#isBooked = true;
    let hashes: readonly Hash[] = [];
    const send = async (endMs: number): Promise<void> => {
      hashes = this.#take();
      this.#isBooked = false;
      if (this.#waiting.size > 0) this.#book();
      await Promise.all(hashes.map((hash) => this.#read(hash, endMs)));
    };
    this.#fly(send).catch((error: unknown) => {
      // It never left: those that it would have taken are all that wait.
      if (hashes.length === 0) {
        hashes = [...this.#waiting.values()];
        this.#waiting.clear();
        this.#isBooked = false;
      }
      for (const { asks } of hashes) for (const ask of asks) ask.reject(error);
    });
  }

  #take(): Hash[] {
    const taken: Hash[] = [];
    let count = 0;
    for (const [name, { key, asks }] of this.#waiting) {
      let length = 0;
      for (const { fields } of asks) {
        if (count > 0 && count + fields.length > fieldsAtOnce) break;
        count += fields.length;
        length++;
      }
      if (length > 0) taken.push({ key, asks: asks.splice(0, length) });
      if (asks.length > 0) break;
      this.#waiting.delete(name);
    }
    return taken;
  }

  async #read({ key, asks }: Hash, endMs: number): Promise<void> {
    try {
      const values = (await this.#command("HMGET", [key, ...asks.flatMap(({ fields }) => fields)], endMs)) as Values;
      let from = 0;
      for (const { fields, resolve } of asks) {
        resolve(values.slice(from, from + fields.length));
        from += fields.length;
      }
    } catch (error) {
      for (const { reject } of asks) reject(error);
    }
  }
}
