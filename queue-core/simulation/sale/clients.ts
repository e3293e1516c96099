/**
 * Those who buy and those who write notes, from outside the machine: they notice that a process died, and try another.
 *
 * What can go wrong: a client that hangs would let a run end without its checks. Each client's flow ends by itself,
 * since every call settles or its process ends; `outstanding` counts those that have not.
 */
import { QueueError } from "../../src/errors.ts";
import type { PublishOptions, PublishReceipt } from "../../src/queue.ts";
import type { Topic } from "../../src/topic.ts";
import type { Random } from "../random.ts";
import type { World } from "../world.ts";
import type { Answers } from "./answers.ts";
import type { Halves } from "./halves.ts";
import type { Sends } from "./sends.ts";
import type { SaleSettings } from "./settings.ts";
import type { ShopProcess } from "./shop-process.ts";
import {
  type Answer,
  type AnyTopic,
  type Command,
  commands,
  type Note,
  notes,
  type PurchaseRequest,
  requests,
} from "./topics.ts";

export interface ClientSurroundings {
  readonly world: World;
  readonly settings: SaleSettings;
  readonly sends: Sends;
  readonly answers: Answers;
  readonly halves: Halves;
  /** Those that live now. */
  processes(): readonly ShopProcess[];
}

type Told<T> =
  | { readonly kind: "answer"; readonly value: T }
  | { readonly kind: "error"; readonly error: unknown }
  /** The process ended before it answered. */
  | { readonly kind: "gone" };

export class Clients {
  readonly #around: ClientSurroundings;
  readonly #random: Random;
  #outstanding = 0;

  constructor(around: ClientSurroundings) {
    this.#around = around;
    this.#random = around.world.random.fork("clients");
  }

  get outstanding(): number {
    return this.#outstanding;
  }

  start(): void {
    const { settings } = this.#around;
    for (let index = 0; index < settings.purchases; index++) this.#start(`buyer ${index}`, () => this.#buy(index));
    for (let index = 0; index < settings.keys; index++) {
      this.#start(`writer ${index}`, () => this.#write(`k${index}`, Math.ceil(settings.notes / settings.keys)));
    }
  }

  #start(name: string, flow: () => Promise<void>): void {
    const { world, settings } = this.#around;
    this.#outstanding++;
    world.after(this.#random.between(0, settings.activeMs), name, () => {
      flow()
        .catch((error: unknown) => world.fail("clients end well", `${name}: ${String(error)}`))
        .finally(() => this.#outstanding--);
    });
  }

  async #buy(index: number): Promise<void> {
    const { world, settings, answers } = this.#around;
    const random = this.#random.fork(`buyer ${index}`);
    const purchase = `p${index}`;
    const user = `u${random.below(settings.users)}`;
    const sale = random.pick(settings.sales);
    const poison = random.chance(0.06) ? { poison: random.pick(["risk", "stock"] as const) } : {};
    const broken = random.chance(0.03) ? { broken: true as const } : {};
    for (let attempt = 0; attempt < 4; attempt++) {
      const request: PurchaseRequest = { uid: `${purchase}#${attempt}`, purchase, user, sale, ...poison, ...broken };
      const answer = await this.#request(request, random);
      if (answer !== undefined) {
        answers.told(request, answer);
        if (answer.decision === "won" && random.chance(0.6)) await this.#pay(request, random);
        if (random.chance(0.8)) return;
      }
      await world.sleep(random.between(1, 800), "a buyer waits");
    }
  }

  /** Undefined where no answer came in time. */
  async #request(request: PurchaseRequest, random: Random): Promise<Answer | undefined> {
    const { sends, world } = this.#around;
    const process = this.#pick(random);
    if (process === undefined) return undefined;
    const timeoutMs = random.pick([50, 400, 2_000]);
    const send = sends.begin({ uid: request.uid, topic: requests, key: request.user, ...atOnce(process) });
    const asked = process.requester.send<PurchaseRequest, Answer>(requests, request, { timeoutMs });
    asked.published.then(
      (receipt) => sends.stored(send, receipt),
      (error: unknown) => sends.refused(send, error),
    );
    const sentAtMs = world.nowMs;
    const told = await this.#ask(process, () => asked.reply);
    if (told.kind === "answer") return told.value;
    if (told.kind === "error" && !(told.error instanceof QueueError)) throw told.error;
    if (
      told.kind === "error" &&
      (told.error as QueueError).code === "REPLY_TIMEOUT" &&
      world.nowMs - sentAtMs < timeoutMs - 1
    )
      world.fail(
        "a request is not given up early",
        `${request.uid} after ${world.nowMs - sentAtMs} ms of ${timeoutMs}`,
      );
    return undefined;
  }

  async #pay({ purchase, user, sale }: PurchaseRequest, random: Random): Promise<void> {
    const { world, settings } = this.#around;
    await world.sleep(random.between(0, settings.payWithinMs * 1.3), "a buyer pays");
    const payment: Command = { kind: "pay", uid: `pay ${purchase}`, purchase, user, sale };
    await this.#publish(commands, payment, { id: `pay ${purchase}` }, random);
  }

  async #write(key: string, count: number): Promise<void> {
    const random = this.#random.fork(`writer ${key}`);
    for (let index = 0; index < count; index++) {
      const uid = `${key}.${index}`;
      const note: Note = { uid, key, ...(random.chance(0.04) ? { broken: true } : {}) };
      const written = random.chance(0.25)
        ? this.#half(uid, key, random)
        : this.#publish(notes, note, this.#options(uid, random), random);
      if (random.chance(0.7)) await written;
      else this.#start(`the end of ${uid}`, () => written);
      if (random.chance(0.5)) await this.#around.world.sleep(random.between(0, 200), "a writer waits");
    }
  }

  #options(uid: string, random: Random): PublishOptions {
    return {
      ...(random.chance(0.4) ? { id: `id ${uid}` } : {}),
      ...(random.chance(0.25) ? { delayMs: random.integer(1, 1_500) } : {}),
      ...(random.chance(0.15) ? { deadlineMs: random.integer(5, 500) } : {}),
    };
  }

  /** Sends until it is told that it is stored, where an id makes repeats safe; else once. */
  async #publish<T>(
    topic: Topic<T> & Pick<AnyTopic, "name">,
    value: T & { readonly uid: string },
    options: PublishOptions,
    random: Random,
  ): Promise<void> {
    const { world, sends } = this.#around;
    for (let attempt = 0; attempt < 4; attempt++) {
      const process = this.#pick(random);
      if (process !== undefined) {
        const nowMs = process.queue.now();
        const { delayMs = 0, deadlineMs } = options;
        const send = sends.begin({
          uid: value.uid,
          topic,
          key: topic.keyOf(value),
          id: options.id,
          sentMs: nowMs,
          dueMs: nowMs + delayMs,
        });
        const asked = { ...options, ...(deadlineMs === undefined ? {} : { deadlineMs: nowMs + deadlineMs }) };
        const told = await this.#ask<PublishReceipt>(process, () => process.queue.publish(topic, value, asked));
        if (told.kind === "answer") sends.stored(send, told.value);
        else if (told.kind === "error") sends.refused(send, told.error);
        const isRepeated = options.id !== undefined && random.chance(0.3);
        if (options.id === undefined ? send.told !== "not stored" : send.told === "stored" && !isRepeated) return;
        if (send.told === "duplicate") return;
      }
      await world.sleep(random.between(1, 500), "a sender waits");
    }
  }

  async #half(uid: string, key: string, random: Random): Promise<void> {
    const process = this.#pick(random);
    if (process === undefined) return;
    await this.#ask(process, () => this.#around.halves.send(process, uid, key, random));
  }

  #pick(random: Random): ShopProcess | undefined {
    const alive = this.#around.processes();
    return alive.length === 0 ? undefined : random.pick(alive);
  }

  #ask<T>(process: ShopProcess, call: () => Promise<T>): Promise<Told<T>> {
    const gone = process.process.gate.ended.then((): Told<T> => ({ kind: "gone" }));
    const answered = call().then(
      (value): Told<T> => ({ kind: "answer", value }),
      (error: unknown): Told<T> => ({ kind: "error", error }),
    );
    return Promise.race([answered, gone]);
  }
}

function atOnce(process: ShopProcess) {
  const nowMs = process.queue.now();
  return { id: undefined, sentMs: nowMs, dueMs: nowMs };
}
