/**
 * Plays one scenario at a time.
 *
 *   preparing ──► running ──► draining ──► ended
 *       └────────────┴────────────┴──────► stopped | failed
 *
 * Promises: bounded in requests and time; the settings that it changed are as before when it is over, unless somebody
 * turned them meanwhile; its sale is closed then. What can go wrong: this process dies while it plays. What is to be
 * restored is stored before it is changed, and the next start restores it.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { FaultOrder, KnobStore, Knobs, SpikeScenarioId, SpikeStatus } from "@plateau/domain";
import { KnobsPatch, Knobs as KnobsSchema } from "@plateau/domain";
import type { Logger } from "pino";
import { type Engine, openSharedValue, type SharedValue } from "queue-core";
import { ProblemError } from "../edge/problem.ts";
import type { FaultCatalogue } from "../faults/fault-catalogue.ts";
import type { BacklogWatch } from "../flow/backlog-watch.ts";
import type { Marks } from "../flow/marks.ts";
import type { NewSale, SaleOpening } from "../sales/sale-opening.ts";
import type { SaleRow } from "../sales/sale-view.ts";
import { planOf, type SpikePlan } from "./scenarios.ts";
import type { SpikePlay, SpikePlayer } from "./spike-player.ts";
import type { SpikeShoppers } from "./spike-shoppers.ts";

/** Each sends one request a second at most, well below the limit per user. */
const shoppersMin = 50;
const drainWithinMs = 60_000;
const saleLastsMs = 10 * 60_000;
const lookEveryMs = 250;
const riskTrouble: FaultOrder<"risk"> = { seconds: 10, latencyMs: 400 };
const killTrouble: FaultOrder<"kill-worker"> = { seconds: 8 };

export interface SpikeRunnerParts {
  readonly engine: Engine;
  readonly knobs: KnobStore;
  readonly opening: SaleOpening;
  readonly catalogue: FaultCatalogue;
  readonly backlog: BacklogWatch;
  readonly marks: Marks;
  readonly shoppers: SpikeShoppers;
  readonly player: SpikePlayer;
  /** What is sold; throws where the shop has nothing. */
  readonly goods: () => Promise<Pick<NewSale, "productId" | "priceCents">>;
  /** Of this gateway, once it listens. */
  readonly url: () => string;
  readonly now: () => number;
  readonly log: Logger;
}

interface Running {
  readonly plan: SpikePlan;
  readonly stopping: AbortController;
  status: SpikeStatus;
  play: SpikePlay | undefined;
  over: Promise<void>;
}

export class SpikeRunner {
  readonly #parts: SpikeRunnerParts;
  readonly #restore: SharedValue<Partial<Knobs>>;
  #current: Running | undefined;

  private constructor(parts: SpikeRunnerParts, restore: SharedValue<Partial<Knobs>>) {
    this.#parts = parts;
    this.#restore = restore;
  }

  /** Resolves once the settings of a spike that was cut short are as before. */
  static async open(parts: SpikeRunnerParts): Promise<SpikeRunner> {
    const restore = await openSharedValue<Partial<Knobs>>({
      engine: parts.engine,
      name: "spike-restore",
      initial: {},
      decode: (stored) => KnobsPatch.parse(stored) as Partial<Knobs>,
    });
    const runner = new SpikeRunner(parts, restore);
    if (Object.keys(restore.get()).length > 0) await runner.#restoreKnobs({});
    return runner;
  }

  /** Of the one that plays, or the last one. */
  get status(): SpikeStatus | null {
    return this.#current?.status ?? null;
  }

  /** Throws spike-running. */
  begin(scenario: SpikeScenarioId): SpikeStatus {
    if (this.#current !== undefined && isPlaying(this.#current.status)) throw new ProblemError("spike-running");
    const plan = planOf(scenario, this.#parts.knobs.get());
    const { stock, offeredPerSecond, capacityPerSecond, seconds } = plan;
    const running: Running = {
      plan,
      stopping: new AbortController(),
      play: undefined,
      over: Promise.resolve(),
      status: {
        ...{ id: randomUUID(), scenario, state: "preparing", problem: null, startedAtMs: this.#parts.now() },
        ...{ runningSinceMs: null, endedAtMs: null, saleId: null, stock, offeredPerSecond, capacityPerSecond, seconds },
        ...{ sent: 0, answered: 0, answers: {}, outcomes: {} },
      },
    };
    this.#current = running;
    running.over = this.#run(running);
    return running.status;
  }

  /** Resolves when it is over; nothing where none plays. */
  async end(): Promise<SpikeStatus | null> {
    const running = this.#current;
    running?.stopping.abort();
    await running?.play?.stop();
    await running?.over;
    return this.status;
  }

  async stop(): Promise<void> {
    await this.end();
    this.#restore.stop();
  }

  /** Never rejects. */
  async #run(running: Running): Promise<void> {
    const { log } = this.#parts;
    const { signal } = running.stopping;
    let sale: SaleRow | undefined;
    let state: SpikeStatus["state"] = "ended";
    try {
      const tokens = await this.#parts.shoppers.take(shoppersFor(running.plan), signal);
      await this.#setKnobs(running.plan);
      sale = await this.#openSale(running.plan);
      signal.throwIfAborted();
      await this.#play(running, sale, tokens);
      tell(running, { state: "draining" });
      await this.#drain(signal);
    } catch (error) {
      state = signal.aborted ? "stopped" : "failed";
      if (state === "failed") {
        log.warn({ err: error, scenario: running.plan.id }, "a spike failed");
        tell(running, { problem: error instanceof Error ? error.message : String(error) });
      }
    }
    await this.#tidy(running, sale).catch((error: unknown) =>
      log.warn({ err: error }, "a spike left something behind"),
    );
    tell(running, { state, endedAtMs: this.#parts.now() });
    this.#mark("spike-ended", running, { state, sent: running.status.sent });
  }

  async #openSale({ stock, decisionCostMs }: SpikePlan): Promise<SaleRow> {
    const nowMs = this.#parts.now();
    return this.#parts.opening.open({
      ...(await this.#parts.goods()),
      title: "Spike",
      stock,
      perUserLimit: 1_000,
      startsAt: new Date(nowMs),
      endsAt: new Date(nowMs + saleLastsMs),
      paymentTimeoutMs: 30_000,
      decisionCostMs,
      crowd: 0,
      house: false,
    });
  }

  async #play(running: Running, sale: SaleRow, tokens: readonly string[]): Promise<void> {
    const { offeredPerSecond: perSecond, seconds, trouble, capacityPerSecond } = running.plan;
    const { player, url } = this.#parts;
    const { signal } = running.stopping;
    tell(running, { state: "running", saleId: sale.id, runningSinceMs: this.#parts.now() });
    this.#mark("spike-began", running, { perSecond, capacityPerSecond, seconds });
    const load = { url: url(), saleId: sale.id, tokens, perSecond, seconds };
    running.play = player.play(load, (progress) => tell(running, progress));
    const troubling = trouble === undefined ? Promise.resolve() : this.#trouble(trouble, signal);
    await Promise.all([running.play.played, troubling]);
    signal.throwIfAborted();
  }

  async #trouble({ id, afterMs }: NonNullable<SpikePlan["trouble"]>, signal: AbortSignal): Promise<void> {
    await sleep(afterMs, undefined, { signal });
    const { catalogue } = this.#parts;
    if (id === "risk") await catalogue.begin("risk", riskTrouble, "spike");
    else await catalogue.begin("kill-worker", killTrouble, "spike");
  }

  /** Until what was admitted is decided; a system that cannot is not waited for for ever. */
  async #drain(signal: AbortSignal): Promise<void> {
    const untilMs = performance.now() + drainWithinMs;
    while (this.#parts.backlog.lagMessages > 0 && performance.now() < untilMs)
      await sleep(lookEveryMs, undefined, { signal });
  }

  async #tidy({ plan, play }: Running, sale: SaleRow | undefined): Promise<void> {
    await play?.stop();
    await this.#restoreKnobs(plan.knobs);
    if (plan.trouble !== undefined) await this.#parts.catalogue.end(plan.trouble.id);
    if (sale !== undefined) await this.#parts.opening.close(sale);
  }

  async #setKnobs(plan: SpikePlan): Promise<void> {
    const before = this.#parts.knobs.get();
    const names = Object.keys(plan.knobs) as (keyof Knobs)[];
    const changed = names.filter((name) => before[name] !== plan.knobs[name]);
    await this.#restore.change(() => KnobsSchema.partial().parse(pick(before, changed)) as Partial<Knobs>);
    await this.#turn(plan.knobs);
  }

  /** What somebody turned since stays as it is. */
  async #restoreKnobs(set: Partial<Knobs>): Promise<void> {
    const now = this.#parts.knobs.get();
    const before = this.#restore.get();
    const names = Object.keys(before) as (keyof Knobs)[];
    const untouched = names.filter((name) => set[name] === undefined || set[name] === now[name]);
    if (untouched.length > 0) await this.#turn(pick(before, untouched));
    await this.#restore.change(() => ({}));
  }

  async #turn(part: Partial<Knobs>): Promise<void> {
    const before = this.#parts.knobs.get();
    await this.#parts.knobs.patch(part);
    for (const [name, to] of Object.entries(part)) {
      const from = before[name as keyof Knobs];
      if (from !== to) this.#parts.marks.add({ kind: "knob", what: name, detail: { from, to }, by: "spike" });
    }
  }

  #mark(kind: "spike-began" | "spike-ended", { plan }: Running, detail: Record<string, string | number>): void {
    this.#parts.marks.add({ kind, what: plan.id, detail, by: "spike" });
  }
}

const isPlaying = ({ state }: SpikeStatus): boolean =>
  state === "preparing" || state === "running" || state === "draining";

const shoppersFor = ({ offeredPerSecond }: SpikePlan): number => Math.max(shoppersMin, Math.ceil(offeredPerSecond));

function tell(running: Running, part: Partial<SpikeStatus>): void {
  running.status = { ...running.status, ...part };
}

function pick(knobs: Partial<Knobs>, names: readonly (keyof Knobs)[]): Partial<Knobs> {
  return Object.fromEntries(names.map((name) => [name, knobs[name]]));
}
