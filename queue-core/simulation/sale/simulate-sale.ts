/**
 * One run of the simulated sale, from its seed to its verdict: real queues over the real log, on a machine that fails.
 */

import type { Engine } from "../../src/engine.ts";
import { halfNamespace } from "../../src/namespaces.ts";
import { Machine } from "../machine.ts";
import { MachineTroubles, usualWeights } from "../machine-troubles.ts";
import { Random } from "../random.ts";
import type { RunOptions, RunResult } from "../run.ts";
import { runToTheEnd } from "../run-to-the-end.ts";
import { Troubles } from "../troubles.ts";
import { whatIsDelayed, whatIsUnread } from "../what-is-left.ts";
import { World } from "../world.ts";
import { Answers } from "./answers.ts";
import { Clients } from "./clients.ts";
import { Database } from "./database.ts";
import { auditDeadLetters, buriedHalves } from "./dead-letter-audit.ts";
import { Deliveries } from "./deliveries.ts";
import { Halves } from "./halves.ts";
import { auditSale } from "./sale-audit.ts";
import { Sends } from "./sends.ts";
import { drawSettings, type SaleSettings } from "./settings.ts";
import { Shop, type ShopWeights, usualShopWeights } from "./shop.ts";
import { consumers, halfGroup, type ShopSurroundings } from "./shop-process.ts";
import { commands, notes, requests, topics } from "./topics.ts";

export interface SaleOptions extends RunOptions {
  readonly settings?: Partial<SaleSettings>;
  readonly shopWeights?: Partial<ShopWeights>;
  /** Plants a bug between the queue and the log. */
  readonly wrapEngine?: (engine: Engine) => Engine;
  /** Left out where the oracles of the sale have to notice by themselves. Default: on. */
  readonly gapDetector?: ShopSurroundings["gapDetector"];
}

export async function simulateSale(options: SaleOptions): Promise<RunResult> {
  const run = new SaleRun(options);
  return run.result();
}

class SaleRun {
  readonly #options: SaleOptions;
  readonly #world: World;
  readonly #settings: SaleSettings;
  readonly #machine: Machine;
  readonly #deliveries: Deliveries;
  readonly #database: Database;
  readonly #sends: Sends;
  readonly #answers: Answers;
  readonly #halves: Halves;
  readonly #shop: Shop;
  readonly #clients: Clients;
  readonly #machineTroubles: MachineTroubles;
  readonly #troubles: Troubles;
  #isTroubled = true;
  #audited: Record<string, number> = {};

  constructor(options: SaleOptions) {
    this.#options = options;
    const world = new World(new Random(options.seed), options.trace);
    const settings = { ...drawSettings(world.random.fork("settings")), ...options.settings };
    this.#world = world;
    this.#settings = settings;
    this.#machine = new Machine({
      world,
      log: settings.log,
      writeBackChance: settings.writeBackChance,
      ...(options.wrapDisk === undefined ? {} : { wrapDisk: options.wrapDisk }),
      ...(options.wrapEngine === undefined ? {} : { wrapEngine: options.wrapEngine }),
      onUp: (incarnation) => this.#shop.up(incarnation),
    });
    const { history } = this.#machine;
    this.#deliveries = new Deliveries(world, history);
    this.#database = new Database(world);
    this.#sends = new Sends(world, history);
    this.#answers = new Answers(world);
    this.#halves = new Halves(world, this.#database, settings.checkAfterMs);
    const around = { world, settings, deliveries: this.#deliveries, database: this.#database };
    const { gapDetector = "on" } = options;
    this.#shop = new Shop({ ...around, gapDetector, isTroubled: () => this.#isTroubled });
    const oracles = { sends: this.#sends, answers: this.#answers, halves: this.#halves };
    this.#clients = new Clients({ world, settings, ...oracles, processes: () => this.#shop.processes });
    this.#machineTroubles = new MachineTroubles(world, this.#machine);
    this.#troubles = new Troubles(world, {
      troubles: {
        ...this.#machineTroubles.withWeights({ ...usualWeights, ...options.weights }),
        ...this.#shop.troubles({ ...usualShopWeights, ...options.shopWeights }),
      },
      everyMs: options.troubleEveryMs ?? 400,
      activeMs: settings.activeMs,
    });
    for (const { group, topic, order } of consumers) {
      this.#deliveries.addGroup({ group, topic: topic.name, order, maxAttempts: settings.maxAttempts });
    }
    history.onCommit((commit) => this.#deliveries.committing(commit, this.#machine.now));
  }

  result(): Promise<RunResult> {
    const { activeMs } = this.#settings;
    this.#world.note("settings", JSON.stringify(this.#settings));
    this.#clients.start();
    return runToTheEnd({
      seed: this.#options.seed,
      world: this.#world,
      machine: this.#machine,
      machineTroubles: this.#machineTroubles,
      troubles: this.#troubles,
      activeMs,
      heal: () => {
        this.#isTroubled = false;
        this.#shop.heal();
      },
      whatIsLeft: () => this.#whatIsLeft(),
      stop: () => this.#shop.stop(),
      audit: () => this.#audit(),
      counts: () => this.#counts(),
    });
  }

  /** Undefined once there is nothing left to do. */
  async #whatIsLeft(): Promise<string | undefined> {
    if (this.#clients.outstanding > 0) return `${this.#clients.outstanding} clients`;
    const engine = this.#machine.engine as Engine;
    const read = [
      ...consumers.map(({ group, topic }) => ({ group, topic })),
      { group: "risk", topic: requests },
      { group: "stock", topic: commands },
    ];
    return (await whatIsDelayed(engine, topics)) ?? (await whatIsHalf(engine)) ?? whatIsUnread(engine, read);
  }

  #audit(): { readonly isVacuous: boolean } {
    const world = this.#world;
    const { history } = this.#machine;
    const partitionsOf = (topic: string) => topics.find(({ name }) => name === topic)?.partitions ?? 0;
    this.#deliveries.checkComplete(this.#machine.now, partitionsOf);
    this.#sends.check(this.#halves.uids);
    this.#halves.check(this.#sends.found(), buriedHalves(history));
    const sale = auditSale(world, history, this.#answers);
    const deadLetters = auditDeadLetters(world, history, this.#deliveries);
    this.#audited = { ...sale, deadLetters };
    return { isVacuous: sale.events === 0 || history.acknowledged < 50 };
  }

  #counts(): Record<string, number> {
    return {
      moves: this.#shop.moves,
      sends: this.#sends.all.length,
      answers: this.#answers.all.size,
      ...this.#deliveries.counts,
      ...this.#audited,
    };
  }
}

async function whatIsHalf(engine: Engine): Promise<string | undefined> {
  const [half] = await engine.scanState(halfNamespace(halfGroup, notes.name), { limit: 1 });
  return half === undefined ? undefined : `half message ${half.key}`;
}
