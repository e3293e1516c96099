/**
 * One machine with one disk: it runs the real log engine, dies, and starts again.
 *
 *     down ──boot──► starting ──log is open──► up ──┐
 *      ▲                │                           │ process crash: the page cache stays
 *      └────────────────┴───────────────────────────┘ power loss: the disk keeps what was synced, and some of the rest
 *
 * What can go wrong: something of a dead incarnation goes on and meets the new one. Everything that an incarnation
 * can reach the world by (disk session, schedule, timers and engines of its processes) ends with it, at once.
 *
 * Checked here: a log that nobody damaged always opens; after each start it holds what commit-history.ts says; after
 * a failed write or sync nothing is acknowledged any more.
 */
import type { Engine } from "../src/engine.ts";
import type { Clock } from "../src/engines/clock.ts";
import { type LogEngineOptions, openLogEngine } from "../src/engines/log/open-log-engine.ts";
import type { LogReport } from "../src/engines/log/snapshots/log-keeper.ts";
import type { Disk } from "../src/engines/log/writing/disk.ts";
import { QueueError } from "../src/errors.ts";
import { CommitHistory } from "./commit-history.ts";
import { DiskFaults } from "./disk-faults.ts";
import { DiskSession } from "./disk-session.ts";
import { Gate } from "./gate.ts";
import { gatedEngine } from "./gated-engine.ts";
import { GatedTimers } from "./gated-timers.ts";
import type { Random } from "./random.ts";
import { RoomRule } from "./room-rule.ts";
import { SimulatedDisk } from "./simulated-disk.ts";
import type { World } from "./world.ts";

export type Death = "process crash" | "power loss";

export interface MachineOptions {
  readonly world: World;
  /** Sizes of segments, memory, snapshots: small, so that their paths are walked often. */
  readonly log: Partial<
    Omit<LogEngineOptions, "directory" | "disk" | "clock" | "random" | "later" | "timers" | "report">
  >;
  /** How eagerly the system writes back by itself, 0 to 1. */
  readonly writeBackChance: number;
  /** Takes a guard away, to show that it is missed. */
  readonly wrapDisk?: (disk: Disk) => Disk;
  /** What stands between the processes and the log. */
  readonly wrapEngine?: (engine: Engine) => Engine;
  /** Once the log is open and was found to hold what it should. */
  onUp(incarnation: Incarnation): void;
}

/** One process on the machine, as queue-core sees its surroundings. */
export interface SimulatedProcess {
  readonly name: string;
  readonly gate: Gate;
  readonly timers: GatedTimers;
  readonly engine: Engine;
  readonly random: Random;
}

export interface Incarnation {
  readonly number: number;
  /** Processes share the log engine as threads of one would; each can stall and die by itself. */
  process(name: string): SimulatedProcess;
  /** For the simulation's own eyes: passes no gate, records no commit. */
  readonly engine: Engine;
}

const directory = "/var/lib/queue";

/** How likely an unsynced sector or name outlives a power loss: all, none, some, and nearly all and none. */
const survivals = [0, 1, 0.5, 0.05, 0.95];

export class Machine {
  readonly disk: SimulatedDisk;
  readonly faults = new DiskFaults();
  readonly history: CommitHistory;
  /** Kinds of what the log told of its keeping, and how often. */
  readonly reports = new Map<string, number>();
  /** Multiplies the time that a write with its sync takes. */
  slowness = 1;
  /** Added to the wall clock from the next start on, ms. */
  wallOffsetMs = 0;
  /** How the next crash at a step of the disk ends; by chance where undefined. */
  nextDeath: Death | undefined;
  readonly room: RoomRule;
  readonly #options: MachineOptions;
  readonly #random: Random;
  #running: RunningIncarnation | undefined;
  #starts = 0;
  #deaths = 0;
  #bootRefusedBy: string | undefined;
  #isOff = false;
  #onUpAfterAll: ((incarnation: Incarnation) => void) | undefined;
  #lastNowMs = 0;

  constructor(options: MachineOptions) {
    this.#options = options;
    this.#random = options.world.random.fork("machine");
    this.disk = new SimulatedDisk(options.world.random.fork("disk"));
    this.disk.writeBackChance = options.writeBackChance;
    this.history = new CommitHistory(options.world);
    this.room = new RoomRule(options.world, this.disk, { directory, reserveBytes: options.log.reserveBytes ?? 0 });
    this.history.onCommit((commit) => this.room.asked(commit));
    this.history.onRefusal((commit, error) => {
      // A reserve that could not even be removed gives no room.
      if (this.faults.struck.length === 0) this.room.refused(commit, error);
    });
  }

  get starts(): number {
    return this.#starts;
  }

  get deaths(): number {
    return this.#deaths;
  }

  get isUp(): boolean {
    return this.#running?.isUp === true;
  }

  /** Why the last attempt to open the log failed, for reports. */
  get bootRefusedBy(): string | undefined {
    return this.#bootRefusedBy;
  }

  boot(): void {
    if (this.#running !== undefined || this.#isOff) return;
    this.#starts++;
    this.faults.forgetStruck();
    this.room.forget();
    const running = new RunningIncarnation(this, this.#options, this.#random, this.#starts);
    this.#running = running;
    running.open().then(
      (refusal) => {
        if (refusal === undefined || running.isOver) return;
        this.#bootRefusedBy = refusal;
        this.die("process crash");
      },
      (error: unknown) => this.#options.world.fail("the machine starts", describe(error)),
    );
  }

  /** At a step of the disk: of the death that was planned with it, or by chance. */
  crashed(byChance: Death): void {
    this.die(this.nextDeath ?? byChance);
    this.nextDeath = undefined;
  }

  die(death: Death): void {
    const running = this.#running;
    if (running === undefined) return;
    const { world } = this.#options;
    this.#deaths++;
    world.note("machine", `${death} of incarnation ${running.number}`);
    running.end();
    this.#running = undefined;
    this.history.crashed();
    if (death === "power loss") {
      const { random } = this.disk;
      this.disk.losePower({ random, survival: random.pick(survivals) });
    }
    world.after(this.#random.between(5, 400), "boot", () => this.boot());
  }

  /** The log, past every gate, for those who look on; undefined while the machine is not up. */
  get engine(): Engine | undefined {
    return this.isUp ? this.#running?.engine : undefined;
  }

  /** Engine time; the last that was known while the machine is not up. */
  get now(): number {
    this.#lastNowMs = this.engine?.now() ?? this.#lastNowMs;
    return this.#lastNowMs;
  }

  /** Closes the log in order and cuts the power: what was not synced is lost. The machine stays off. */
  async shutDown(): Promise<void> {
    this.#isOff = true;
    await this.engine?.close();
    this.#running?.end();
    this.#running = undefined;
    this.disk.losePower({ random: this.disk.random, survival: 0 });
  }

  /** Starts it again, for this alone. */
  turnOn(onUp: (incarnation: Incarnation) => void): void {
    this.#isOff = false;
    this.#onUpAfterAll = onUp;
    this.boot();
  }

  up(incarnation: Incarnation): void {
    if (this.#onUpAfterAll === undefined) this.#options.onUp(incarnation);
    else this.#onUpAfterAll(incarnation);
  }
}

class RunningIncarnation implements Incarnation {
  readonly number: number;
  #mode: "starting" | "up" | "ended" = "starting";
  readonly #machine: Machine;
  readonly #options: MachineOptions;
  readonly #random: Random;
  readonly #gates: Gate[] = [];
  readonly #session: DiskSession;
  #engine: Engine | undefined;
  #recorded: Engine | undefined;

  constructor(machine: Machine, options: MachineOptions, random: Random, number: number) {
    this.number = number;
    this.#machine = machine;
    this.#options = options;
    this.#random = random.fork(`incarnation ${number}`);
    this.#session = new DiskSession({
      disk: machine.disk,
      world: options.world,
      faultOf: machine.faults.faultOf,
      onCrash: () => machine.crashed(this.#random.chance(0.5) ? "process crash" : "power loss"),
      onFull: () => machine.room.foundFull(),
    });
  }

  get isUp(): boolean {
    return this.#mode === "up";
  }

  get isOver(): boolean {
    return this.#mode === "ended";
  }

  get engine(): Engine {
    if (this.#engine === undefined) throw new Error("the log is not open yet");
    return this.#engine;
  }

  /** Resolves with why the log could not be opened, where that can happen. */
  async open(): Promise<string | undefined> {
    const { world, wrapDisk = (disk) => disk } = this.#options;
    const machine = this.#machine;
    world.note("machine", `incarnation ${this.number} opens the log`);
    let engine: Engine;
    try {
      engine = await openLogEngine({
        ...this.#options.log,
        directory,
        disk: wrapDisk(this.#session),
        clock: this.#clock(),
        random: (bytes) => this.#random.bytes(bytes),
        later: (run) => this.#later(run),
        timers: { after: (ms, run) => this.#timer(ms, run) },
        report: (report) => this.#reported(report),
      });
    } catch (error) {
      if (!this.isOver) this.#checkRefusal(error);
      return describe(error);
    }
    if (this.isOver) return undefined;
    this.#engine = engine;
    engine.failed
      .then((error) => this.#poisoned(error))
      .catch((error: unknown) => world.fail("the simulation works", String(error)));
    const difference = await machine.history.recovered(engine);
    if (this.isOver) return undefined;
    if (difference !== undefined) {
      // A disk that cannot be read is no loss: the machine is started again.
      if (difference.kind === "lost") world.fail("what was acknowledged is there after a restart", difference.detail);
      return difference.detail;
    }
    this.#mode = "up";
    this.#recorded = machine.history.recording(engine);
    machine.up(this);
    return undefined;
  }

  process(name: string): SimulatedProcess {
    const gate = new Gate(this.#options.world, `${name}.${this.number}`);
    if (this.isOver) gate.end();
    this.#gates.push(gate);
    const { wrapEngine = (engine) => engine } = this.#options;
    const engine = gatedEngine(wrapEngine(this.#recorded as Engine), gate);
    const timers = new GatedTimers(this.#options.world, gate);
    return { name: gate.name, gate, timers, engine, random: this.#random.fork(gate.name) };
  }

  end(): void {
    this.#mode = "ended";
    this.#session.end();
    for (const gate of this.#gates) gate.end();
  }

  /** The wall clock may have been set back or forth while the machine was down; the monotonic one begins anew. */
  #clock(): Clock {
    const { world } = this.#options;
    const startedAtMs = world.nowMs;
    const wallOffsetMs = 1_700_000_000_000 + this.#machine.wallOffsetMs;
    return {
      wallMs: () => wallOffsetMs + world.nowMs,
      monotonicMs: () => 5_000 + world.nowMs - startedAtMs,
    };
  }

  #later(run: () => void): void {
    const ms = this.#random.chance(0.05) ? this.#random.between(5, 60) : this.#random.between(0.1, 2);
    this.#options.world.after(ms * this.#machine.slowness, "disk turn", () => {
      if (!this.isOver) run();
    });
  }

  #timer(ms: number, run: () => void): () => void {
    return this.#options.world.after(ms, "timer of the log", () => {
      if (!this.isOver) run();
    });
  }

  #reported(report: LogReport): void {
    if (this.isOver) return;
    const { faults, reports, disk } = this.#machine;
    const { world } = this.#options;
    world.note("log", JSON.stringify(report));
    reports.set(report.kind, (reports.get(report.kind) ?? 0) + 1);
    // Until the log looks at the disk again, the room that its reserve gave up is for acknowledgements alone.
    const isFull = Number.isFinite(disk.capacityBytes) || disk.find(`${directory}/reserve`) === undefined;
    const isExplained = faults.struck.length > 0 || isFull;
    if ("reason" in report && !isExplained)
      world.fail("keeping the log short fails only when the disk does", report.reason);
  }

  #checkRefusal(error: unknown): void {
    const { world } = this.#options;
    const { faults, disk } = this.#machine;
    if (faults.struck.length > 0) return;
    if (error instanceof QueueError && error.code === "STORAGE_FULL" && Number.isFinite(disk.capacityBytes)) return;
    world.fail("an undamaged log opens", describe(error));
  }

  /** A process whose log failed ends, as the engine's contract asks for, a little later. */
  #poisoned(error: Error): void {
    if (this.isOver) return;
    const { world } = this.#options;
    world.note("machine", `poisoned: ${error.message}`);
    this.#machine.history.poisoned();
    if (this.#machine.faults.struck.length === 0) world.fail("the log fails only when the disk does", error.message);
    world.after(this.#random.between(1, 300), "the failed process ends", () => {
      if (!this.isOver) this.#machine.die("process crash");
    });
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
