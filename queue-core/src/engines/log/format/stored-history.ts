/**
 * For tests: what children of appending-child.ts were told, held against what their log has.
 *
 * What it finds: a message that was acknowledged and is not there, or is elsewhere; one that nobody sent, or twice; a
 * gap or another order in what one writer sent; state that is not the fold of the messages; an order counted never,
 * twice, or in another order than its key's.
 * At the moment of a kill each writer has one commit under way, which may be stored without having been told.
 */
import { crc32 } from "node:zlib";
import { expect } from "vitest";
import type { Engine } from "../../../engine.ts";
import { stateNamespace } from "../../../namespaces.ts";
import type { Account, Told } from "../recovery/child-run.ts";

const partitionsOf = { raw: 3, orders: 2, counts: 2 } as const;
type TopicName = keyof typeof partitionsOf;

interface Order {
  readonly key: string;
  readonly text: string;
}

interface Count extends Order {
  readonly count: number;
}

export class StoredHistory {
  readonly #told: Told[] = [];
  /** By partition, the highest offset that `readers` were told. */
  readonly #moved = [0, 0, 0];
  /** Values by topic and partition, from offset 0 on. */
  readonly #values = new Map<TopicName, string[][]>();

  get acknowledged(): number {
    return this.#told.length;
  }

  /** Orders counted by the stage, at the last look. */
  get decided(): number {
    return this.#all("counts").length;
  }

  /** What a child was told before it ended. */
  add({ told, moved }: Account): void {
    this.#told.push(...told);
    for (const { partition, to } of moved) this.#moved[partition] = Math.max(this.#moved[partition] ?? 0, to);
  }

  async verify(engine: Engine): Promise<void> {
    for (const topic of Object.keys(partitionsOf) as TopicName[]) {
      if (engine.topic(topic) !== undefined) await this.#readOn(engine, topic);
    }
    this.#nothingAcknowledgedIsLost();
    this.#eachSenderIsWhole("stored", this.#all("raw"));
    const orders = this.#all("orders").map((value) => (JSON.parse(value) as Order).text);
    this.#eachSenderIsWhole("sent", orders);
    await this.#writersAreTheFold(engine);
    await this.#readersAreTheFold(engine);
    await this.#countsAreTheFold(engine);
  }

  #all(topic: TopicName): string[] {
    return (this.#values.get(topic) ?? []).flat();
  }

  /** Goes on where the last look ended; what retention dropped was looked at before. */
  async #readOn(engine: Engine, topic: TopicName): Promise<void> {
    const partitions = this.#values.get(topic) ?? Array.from({ length: partitionsOf[topic] }, () => []);
    this.#values.set(topic, partitions);
    for (const [partition, values] of partitions.entries()) {
      expect((await engine.range(topic, partition)).start).toBeLessThanOrEqual(values.length);
      for (;;) {
        const messages = await engine.read(topic, partition, values.length, { maxMessages: 1_000 });
        if (messages.length === 0) break;
        for (const message of messages) {
          expect(message.offset).toBe(values.length);
          values.push(message.value.toString());
        }
      }
    }
  }

  #nothingAcknowledgedIsLost(): void {
    const raw = this.#values.get("raw");
    const orders = this.#values.get("orders");
    const lost = this.#told.filter(({ kind, partition, offset, text }) => {
      if (kind === "stored") return raw?.[partition]?.[offset] !== text;
      const value = orders?.[partition]?.[offset];
      return value === undefined || (JSON.parse(value) as Order).text !== text;
    });
    expect(lost).toEqual([]);
  }

  #eachSenderIsWhole(kind: Told["kind"], texts: readonly string[]): void {
    const told = Map.groupBy(
      this.#told.filter((each) => each.kind === kind),
      ({ text }) => senderOf(text),
    );
    for (const [sender, sent] of Map.groupBy(texts, senderOf)) {
      expect(sent).toEqual(sent.map((_, number) => `${sender}.${number}`));
      expect(sent.length - (told.get(sender)?.length ?? 0)).toBeLessThanOrEqual(1);
    }
  }

  async #writersAreTheFold(engine: Engine): Promise<void> {
    const last = new Map<string, string>();
    for (const text of this.#all("raw")) last.set(senderOf(text), text.slice(text.lastIndexOf(".") + 1));
    expect(await entriesOf(engine, "writers")).toEqual(last);
  }

  async #readersAreTheFold(engine: Engine): Promise<void> {
    const digests = new Map<string, string>();
    for (const [partition, texts] of (this.#values.get("raw") ?? []).entries()) {
      const to = await engine.committedOffset({ group: "readers", topic: "raw", partition });
      expect(to).toBeGreaterThanOrEqual(this.#moved[partition] ?? 0);
      if (to === 0) continue;
      const digest = texts.slice(0, to).reduce((sum, text) => crc32(text, sum), 0);
      digests.set(String(partition), String(digest));
    }
    expect(await entriesOf(engine, "readers")).toEqual(digests);
  }

  async #countsAreTheFold(engine: Engine): Promise<void> {
    const counts = new Map<string, number>();
    const expected: Count[] = [];
    for (const [partition, orders] of (this.#values.get("orders") ?? []).entries()) {
      const decided = await engine.committedOffset({ group: "counters", topic: "orders", partition });
      for (const value of orders.slice(0, decided)) {
        const { key, text } = JSON.parse(value) as Order;
        const count = (counts.get(key) ?? 0) + 1;
        counts.set(key, count);
        expected.push({ key, text, count });
      }
      const entries = await entriesOf(engine, stateNamespace("counters", "orders", partition));
      for (const [key, value] of entries) expect([key, value]).toEqual([key, String(counts.get(key))]);
    }
    const emitted = this.#all("counts").map((value) => JSON.parse(value) as Count);
    const byKey = (all: readonly Count[]) => Map.groupBy(all, ({ key }) => key);
    expect(byKey(emitted)).toEqual(byKey(expected));
  }
}

function senderOf(text: string): string {
  return text.slice(0, text.lastIndexOf("."));
}

async function entriesOf(engine: Engine, namespace: string): Promise<Map<string, string>> {
  const entries = await engine.scanState(namespace, { limit: 100_000 });
  return new Map(entries.map(({ key, value }) => [key, value.toString()]));
}
