/**
 * One run of the simulated sale, from its seed to its verdict.
 *
 *     trouble and clients ──► heal ──► drain ──► stop in order ──► power loss ──► start ──► audit
 *
 * What can go wrong: a run in which nothing happened passes every check. Such a run is vacuous, and fails.
 */

import { delayNamespace, halfNamespace } from "../../src/namespaces.ts";
import { Machine } from "../machine.ts";
import { MachineTroubles, usualWeights } from "../machine-troubles.ts";
import { Random } from "../random.ts";
import type { RunOptions, RunResult } from "../run.ts";
import { Troubles } from "../troubles.ts";
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
import { consumers, halfGroup } from "./shop-process.ts";
import { commands, notes, requests, topics } from "./topics.ts";

export interface SaleOptions extends RunOptions {
  readonly settings?: Partial<SaleSettings>;
  readonly shopWeights?: Partial<ShopWeights>;
}

/** Virtual ms in which a healed system must have done all its work. */
const drainWithinMs = 240_000;

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
  #isStopped = false;
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
      onUp: (incarnation) => {
        if (this.#isStopped) world.stop();
        else this.#shop.up(incarnation);
      },
    });
    const { history } = this.#machine;
    this.#deliveries = new Deliveries(world, history);
    this.#database = new Database(world);
    this.#sends = new Sends(world, history);
    this.#answers = new Answers(world);
    this.#halves = new Halves(world, this.#database, settings.checkAfterMs);
    const around = { world, settings, deliveries: this.#deliveries, database: this.#database };
    this.#shop = new Shop({ ...around, isTroubled: () => this.#isTroubled });
    const oracles = { sends: this.#sends, answers: this.#answers, halves: this.#halves };
    this.#clients = new Clients({ world, settings, ...oracles, processes: () => this.#shop.processes });
    this.#machineTroubles = new MachineTroubles(world, this.#machine);
    this.#troubles = new Troubles(world, {
      troubles: {
        ...this.#machineTroubles.withWeights({ ...usualWeights, ...options.weights }),
        ...this.#shop.troubles({ ...usualShopWeights, ...options.shopWeights }),
      },
      everyMs: options.troubleEveryMs ?? 500,
      activeMs: settings.activeMs,
    });
    for (const { group, topic, order } of consumers) {
      this.#deliveries.addGroup({ group, topic: topic.name, order, maxAttempts: settings.maxAttempts });
    }
    history.onCommit((commit) => this.#deliveries.committing(commit, this.#machine.now));
  }

  async result(): Promise<RunResult> {
    const world = this.#world;
    world.note("settings", JSON.stringify(this.#settings));
    this.#machine.boot();
    this.#clients.start();
    this.#troubles.start();
    world.after(this.#settings.activeMs, "healing", () => this.#heal());
    await world.run();
    if (!world.hasStopped) world.fail("a run comes to its end", "nothing is left that would happen");
    if (world.violation === undefined) this.#audit();
    const { seed } = this.#options;
    return {
      seed,
      violation: world.violation,
      hash: world.trace.hash,
      lines: world.trace.lines,
      counts: this.#counts(),
    };
  }

  #heal(): void {
    this.#isTroubled = false;
    this.#machineTroubles.heal();
    this.#shop.heal();
    const sinceMs = this.#world.nowMs;
    const look = (): void => {
      this.#world.after(100, "is all work done?", () => {
        this.#whatIsLeft().then((left) => {
          if (left === undefined) {
            this.#finish().catch((error: unknown) => this.#world.fail("everything stops in order", String(error)));
            return;
          }
          if (this.#world.nowMs - sinceMs < drainWithinMs) look();
          else this.#world.fail("a healed system does all its work", left);
        });
      });
    };
    look();
  }

  /** Undefined once there is nothing left to do. */
  async #whatIsLeft(): Promise<string | undefined> {
    const engine = this.#machine.engine;
    if (engine === undefined) return `the machine is down: ${this.#machine.bootRefusedBy}`;
    if (this.#clients.outstanding > 0) return `${this.#clients.outstanding} clients`;
    try {
      const read = [
        ...consumers.map(({ group, topic }) => ({ group, topic })),
        { group: "risk", topic: requests },
        { group: "stock", topic: commands },
      ];
      for (const { name, partitions } of topics) {
        for (let partition = 0; partition < partitions; partition++) {
          const [delayed] = await engine.scanState(delayNamespace(name, partition), { limit: 1 });
          if (delayed !== undefined) return `delayed ${delayed.key} in ${name}/${partition}`;
        }
      }
      const [half] = await engine.scanState(halfNamespace(halfGroup, notes.name), { limit: 1 });
      if (half !== undefined) return `half message ${half.key}`;
      for (const { group, topic } of read) {
        for (let partition = 0; partition < topic.partitions; partition++) {
          const { end } = await engine.range(topic.name, partition);
          const committed = await engine.committedOffset({ group, topic: topic.name, partition });
          if (committed < end) return `${group} is at ${committed} of ${end} in ${topic.name}/${partition}`;
        }
      }
    } catch (error) {
      return String(error);
    }
    return undefined;
  }

  /** Everything stops in order; then the power goes, and what was acknowledged must still be there. */
  async #finish(): Promise<void> {
    const world = this.#world;
    const late = world.after(60_000, "stopping", () => world.fail("a queue stops in time", "not within 60 s"));
    const left = await this.#shop.stop();
    if (left.length > 0) world.fail("nothing runs on after stop", `timers of ${left.join(", ")}`);
    await this.#machine.shutDown();
    late();
    this.#isStopped = true;
    this.#machine.turnOn();
  }

  #audit(): void {
    const world = this.#world;
    const { history } = this.#machine;
    this.#deliveries.checkComplete(
      this.#machine.now,
      (topic) => topics.find(({ name }) => name === topic)?.partitions ?? 0,
    );
    this.#sends.check(this.#halves.uids);
    this.#halves.check(this.#sends.found(), buriedHalves(history));
    const sale = auditSale(world, history, this.#answers);
    const deadLetters = auditDeadLetters(world, history, this.#deliveries);
    this.#audited = { ...sale, deadLetters };
    const isVacuous = sale.events === 0 || this.#troubles.counts.size === 0 || history.acknowledged < 50;
    if (isVacuous) world.fail("a run is not vacuous", JSON.stringify(this.#counts()));
  }

  #counts(): Record<string, number> {
    return {
      steps: this.#world.events,
      virtualMs: Math.round(this.#world.nowMs),
      commits: this.#machine.history.acknowledged,
      starts: this.#machine.starts,
      deaths: this.#machine.deaths,
      snapshots: this.#machine.reports.get("snapshot taken") ?? 0,
      removals: this.#machine.reports.get("segments removed") ?? 0,
      moves: this.#shop.moves,
      sends: this.#sends.all.length,
      answers: this.#answers.all.size,
      ...this.#deliveries.counts,
      ...this.#audited,
    };
  }
}
