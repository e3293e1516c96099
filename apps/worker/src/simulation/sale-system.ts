/**
 * The processes of the sale on one machine: gateways, workers, a payment office. All die with the machine; one that is
 * killed alone is started again.
 *
 * What can go wrong: a start that meets a dying disk fails; it is tried again while its process lives.
 */
import type { PurchaseResult } from "@plateau/domain";
import { type GroupMember, type Queue, QueueError } from "queue-core";
import type { Incarnation, Random, SimulatedProcess, World } from "queue-core/simulation";
import { lossyLink } from "./lossy-link.ts";
import { openPaymentOffice, type PaymentProvider } from "./payment-office.ts";
import { SimulatedGateway } from "./simulated-gateway.ts";
import type { PlantedFault, TruthSettings } from "./truth-settings.ts";
import type { Moment } from "./truth-troubles.ts";
import { openSimulatedQueue, openWorker } from "./worker-process.ts";

export interface OpenGateway {
  /** The same for all who take its place. */
  readonly name: string;
  readonly process: SimulatedProcess;
  readonly gateway: SimulatedGateway;
}

interface RunningProcess {
  readonly role: string;
  readonly process: SimulatedProcess;
}

export interface SystemParts {
  readonly world: World;
  readonly settings: TruthSettings;
  readonly planted: PlantedFault;
  readonly provider: PaymentProvider;
  isTroubled(): boolean;
  near(moment: Moment): void;
  deciding(results: readonly PurchaseResult[]): void;
  count(what: string): void;
}

export class SaleSystem {
  readonly #parts: SystemParts;
  readonly #random: Random;
  #incarnation: Incarnation | undefined;
  #gateways: OpenGateway[] = [];
  #processes: RunningProcess[] = [];
  #stages: { readonly process: SimulatedProcess; readonly members: readonly GroupMember[] }[] = [];
  #joined = 0;

  constructor(parts: SystemParts) {
    this.#parts = parts;
    this.#random = parts.world.random.fork("system");
  }

  get gateways(): readonly OpenGateway[] {
    this.#gateways = this.#gateways.filter(({ process }) => !process.gate.hasEnded);
    return this.#gateways;
  }

  up(incarnation: Incarnation): void {
    this.#incarnation = incarnation;
    const { gateways, workers, payments } = this.#parts.settings;
    for (let index = 0; index < gateways; index++) this.#open(`gateway${index}`);
    for (let index = 0; index < workers; index++) this.#open(`worker${index}`);
    if (payments[1] > 0) this.#open("office");
  }

  kill(random: Random): void {
    const killed = this.#pick(random);
    if (killed === undefined) return;
    const { world, count } = this.#parts;
    count("processes killed");
    killed.process.gate.end();
    const incarnation = this.#incarnation;
    world.after(random.between(1, 200), `${killed.role} again`, () => {
      if (this.#incarnation === incarnation) this.#open(killed.role);
    });
  }

  /** A member that dies in silence while its process lives; others take its partitions, or a new one does. */
  killMembers(random: Random): void {
    const stages = this.#stages.filter(({ process }) => !process.gate.hasEnded);
    if (stages.length === 0) return;
    const stage = random.pick(stages);
    const { world, count } = this.#parts;
    count("members killed");
    for (const member of stage.members) member.kill();
    this.#stages = this.#stages.filter((known) => known !== stage);
    world.after(random.between(1, 200), "new members", () => this.#attempt("worker", stage.process));
  }

  /** Goes on where it stood, perhaps after its leases went to others. */
  stall(random: Random): void {
    const gate = this.#pick(random)?.process.gate;
    if (gate === undefined) return;
    const { world, count, settings } = this.#parts;
    count("processes stalled");
    gate.stall();
    world.after(random.between(0.2, 2.5) * settings.leaseMs, `${gate.name} wakes up`, () => gate.resume());
  }

  #pick(random: Random): RunningProcess | undefined {
    this.#processes = this.#processes.filter(({ process }) => !process.gate.hasEnded);
    return this.#processes.length === 0 ? undefined : random.pick(this.#processes);
  }

  #open(role: string): void {
    const process = (this.#incarnation as Incarnation).process(`${role}-${this.#random.bits().toString(36)}`);
    this.#processes.push({ role, process });
    this.#attempt(role, process);
  }

  #attempt(role: string, process: SimulatedProcess): void {
    const { world } = this.#parts;
    if (process.gate.hasEnded) return;
    this.#start(role, process).catch((error: unknown) => {
      world.note("refused", String(error));
      const isFault = error instanceof QueueError || "code" in Object(error);
      if (!isFault) world.fail("processes start", error instanceof Error ? String(error.stack) : String(error));
      else world.after(50, "tried again", () => this.#attempt(role, process));
    });
  }

  async #start(role: string, process: SimulatedProcess): Promise<void> {
    const { world, settings, planted, provider, deciding, near, count } = this.#parts;
    const { leaseMs } = settings;
    if (role.startsWith("worker")) {
      const name = `${role}-${this.#joined++}`;
      const members = await openWorker({ world, leaseMs, stock: planted.stock, deciding, name }, process);
      this.#stages.push({ process, members });
    } else if (role.startsWith("gateway")) {
      const queue = await this.#gatewayQueue(process);
      const parts = { queue, timers: process.timers, planted: planted.gateway, count };
      this.#gateways.push({ name: role, process, gateway: await SimulatedGateway.open(parts) });
    } else {
      const queue = await openSimulatedQueue(world, process, leaseMs);
      const paying = (): void => near("payment");
      await openPaymentOffice({ queue, provider, planted: planted.office, paying }, process);
    }
  }

  #gatewayQueue(process: SimulatedProcess): Promise<Queue> {
    const { world, settings, isTroubled, near, count } = this.#parts;
    const random = process.random.fork("link");
    const breaks = (): boolean => {
      near("publish");
      if (!isTroubled() || !random.chance(settings.lossChance)) return false;
      count("broken links");
      return true;
    };
    const link = lossyLink(process, { random, breaks, longestDelayMs: settings.decideWithinMs[1] * 2 });
    return openSimulatedQueue(world, process, settings.leaseMs, link);
  }
}
