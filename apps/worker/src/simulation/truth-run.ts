/**
 * One run of a truth-rule scenario, from its seed to its verdict.
 *
 *     shoppers and trouble ──► heal ──► everybody is told an end, all work is done ──► power loss ──► start ──► check
 *
 * What can go wrong: a run in which no trouble met anything passes every check. `counts` tells what it met; whoever
 * runs many seeds holds the sums against what the scenario is for.
 */
import {
  groups,
  type PurchaseResult,
  paymentRequests,
  purchaseRequests,
  reservations,
  stockCommands,
} from "@plateau/domain";
import { delayNamespace } from "queue-core";
import { Machine, Random, type Violation, World } from "queue-core/simulation";
import { checkFinalTruth } from "./final-truth.ts";
import { PaymentProvider } from "./payment-office.ts";
import { SaleSystem } from "./sale-system.ts";
import type { Scenario } from "./scenarios.ts";
import { Shoppers } from "./shoppers.ts";
import { Tellings } from "./tellings.ts";
import type { PlantedFault, TruthSettings } from "./truth-settings.ts";
import { TruthTroubles } from "./truth-troubles.ts";
import { openSimulatedQueue } from "./worker-process.ts";

export interface TruthResult {
  readonly seed: string;
  readonly violation: Violation | undefined;
  readonly counts: Readonly<Record<string, number>>;
  /** Equal for equal seeds. */
  readonly hash: string;
  readonly lines: readonly string[];
}

export interface TruthOptions {
  readonly seed: string;
  readonly scenario: Scenario;
  readonly planted?: PlantedFault;
  readonly trace?: "hash" | "lines";
}

/** Virtual ms in which trouble may strike; then as long again, many times over, to do all that is left. */
const troubledMs = 1_500;
const endsWithinMs = 120_000;

export async function runTruth(options: TruthOptions): Promise<TruthResult> {
  return new TruthRun(options).result();
}

class TruthRun {
  readonly #options: TruthOptions;
  readonly #world: World;
  readonly #settings: TruthSettings;
  readonly #machine: Machine;
  readonly #troubles: TruthTroubles;
  readonly #tellings: Tellings;
  readonly #provider: PaymentProvider;
  readonly #system: SaleSystem;
  readonly #shoppers: Shoppers;
  readonly #counts: Record<string, number> = {};
  /** Wins that were decided and handed to the log, whatever became of that. */
  readonly #decidedWon = new Set<string>();

  constructor(options: TruthOptions) {
    this.#options = options;
    const world = new World(new Random(options.seed), options.trace);
    const settings = options.scenario(world.random.fork("settings"));
    this.#world = world;
    this.#settings = settings;
    this.#machine = new Machine({
      world,
      log: { segmentBytes: 40_000, snapshotBytes: 20_000, reserveBytes: 2_000 },
      writeBackChance: world.random.fork("write back").pick([0, 0.1, 0.7]),
      onUp: (incarnation) => this.#system.up(incarnation),
    });
    this.#tellings = new Tellings(world);
    this.#provider = new PaymentProvider(world);
    const count = (what: string): void => this.#count(what);
    this.#system = new SaleSystem({
      world,
      settings,
      planted: options.planted ?? {},
      provider: this.#provider,
      isTroubled: () => !this.#troubles.isOver,
      near: (moment) => this.#troubles.near(moment),
      deciding: (results) => this.#deciding(results),
      count,
    });
    const { troubles: chances } = settings;
    this.#troubles = new TruthTroubles({ world, machine: this.#machine, chances, system: this.#system });
    const gateways = () => this.#system.gateways;
    this.#shoppers = new Shoppers({ world, settings, tellings: this.#tellings, gateways, count });
  }

  async result(): Promise<TruthResult> {
    const world = this.#world;
    world.note("settings", JSON.stringify(this.#settings));
    this.#machine.boot();
    this.#shoppers.start();
    world.after(troubledMs + this.#settings.paymentTimeoutMs, "healing", () => {
      this.#troubles.heal();
      this.#lookForTheEnd();
    });
    await world.run();
    if (!world.hasStopped) world.fail("a run comes to its end", "nothing is left that would happen");
    const { seed } = this.#options;
    const { hash, lines } = world.trace;
    this.#counts.deaths = this.#machine.deaths;
    return { seed, violation: world.violation, counts: this.#counts, hash, lines };
  }

  #count(what: string, times = 1): void {
    this.#counts[what] = (this.#counts[what] ?? 0) + times;
  }

  #deciding(results: readonly PurchaseResult[]): void {
    for (const { purchaseId, outcome } of results) if (outcome === "won") this.#decidedWon.add(purchaseId);
    if (this.#options.planted?.worker === "tells before it stores")
      for (const { gateway } of this.#system.gateways) for (const result of results) gateway.heard(result);
    this.#troubles.near("decision");
  }

  #lookForTheEnd(): void {
    const world = this.#world;
    world.after(50, "is all work done?", () => {
      this.#whatIsLeft()
        .catch(String)
        .then(async (left) => {
          if (left === undefined) {
            await this.#machine.shutDown();
            this.#machine.turnOn((incarnation) => {
              this.#check(incarnation.process("auditor")).catch((error: unknown) =>
                world.fail("the log can be checked", error instanceof Error ? String(error.stack) : String(error)),
              );
            });
          } else if (world.nowMs > endsWithinMs) world.fail("a healed system tells everybody an end", left);
          else this.#lookForTheEnd();
        });
    });
  }

  /** Undefined once everybody was told an end and nothing waits in the log. */
  async #whatIsLeft(): Promise<string | undefined> {
    const { engine } = this.#machine;
    if (engine === undefined) return `the machine is down: ${this.#machine.bootRefusedBy}`;
    if (this.#shoppers.outstanding > 0) return `${this.#shoppers.outstanding} shoppers`;
    const read = [
      { group: groups.risk, topic: purchaseRequests },
      { group: groups.stock, topic: stockCommands },
      ...(this.#settings.payments[1] === 0
        ? []
        : [
            { group: groups.payment, topic: paymentRequests },
            { group: groups.payment, topic: reservations },
          ]),
    ];
    for (const { group, topic } of read) {
      for (let partition = 0; partition < topic.partitions; partition++) {
        const { end } = await engine.range(topic.name, partition);
        const committed = await engine.committedOffset({ group, topic: topic.name, partition });
        if (committed < end) return `${group} is at ${committed} of ${end} in ${topic.name}/${partition}`;
        const [delayed] = await engine.scanState(delayNamespace(topic.name, partition), { limit: 1 });
        if (delayed !== undefined) return `delayed ${delayed.key} in ${topic.name}/${partition}`;
      }
    }
    return undefined;
  }

  async #check(process: Parameters<typeof openSimulatedQueue>[1]): Promise<void> {
    const world = this.#world;
    const tellings = this.#tellings;
    const queue = await openSimulatedQueue(world, process, this.#settings.leaseMs);
    const { ids } = this.#shoppers;
    const truth = await checkFinalTruth({ world, queue, tellings, ids, payments: this.#provider.payments });
    for (const [what, times] of Object.entries(truth.counts)) this.#count(what, times);
    for (const [id, { outcome }] of truth.results) {
      if (outcome === "expired" && this.#decidedWon.has(id)) this.#count("won was decided, expired was stored");
      if (tellings.tellersOf(id) > 1) this.#count("told by several gateways");
    }
    world.stop();
  }
}
