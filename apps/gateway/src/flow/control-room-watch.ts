/**
 * The control room's eyes: a sample each second, an hour of them, marks, and one stream that tells all viewers alike.
 *
 * Promises: each event is made into text once, however many watch; at most four a second (one `second`, and at most
 * three `marks`, each with all marks since the one before).
 */
import type { ControlHistory, ControlSecond, SpikeStatus } from "@plateau/domain";
import type { FastifyReply, FastifyRequest } from "fastify";
import { SystemAudit } from "../audit/system-audit.ts";
import type { Gateway } from "../gateway.ts";
import { Broadcast } from "../streams/broadcast.ts";
import { hourSeconds } from "./control-history.ts";
import { ControlSampler } from "./control-samples.ts";
import { InvariantStrip } from "./invariant-strip.ts";
import { Marks } from "./marks.ts";
import type { WayReading } from "./way.ts";

const tellMarksEveryMs = 350;
/** A fifth of what the audit on demand reads: it runs by itself, beside a sale. */
const auditedMessagesMax = 60_000;

export interface WatchSources {
  readonly spike: () => SpikeStatus | null;
  readonly faults: () => readonly string[];
  /** Handed out and not yet done, by edge. */
  readonly inFlight: () => ReadonlyMap<string, number>;
}

export class ControlRoomWatch {
  readonly marks: Marks;
  readonly #gateway: Gateway;
  readonly #broadcast: Broadcast;
  readonly #strip: InvariantStrip;
  readonly #sampler: ControlSampler;
  readonly #telling: NodeJS.Timeout;

  constructor(gateway: Gateway, sources: WatchSources) {
    const { queue, db, options } = gateway;
    this.#gateway = gateway;
    this.marks = new Marks(() => queue.now());
    this.#broadcast = new Broadcast(gateway.streams, "second");
    const audit = new SystemAudit(
      { queue, db, sandboxUrl: options.sandboxUrl, jobs: gateway.jobs },
      { maxMessages: auditedMessagesMax },
    );
    this.#strip = new InvariantStrip({
      ...gateway,
      now: () => queue.now(),
      watched: () => this.#broadcast.readers > 0,
      audit: () => audit.run({ saleId: undefined }),
    });
    this.#sampler = new ControlSampler(gateway, {
      ...sources,
      strip: () => this.#strip.look(),
      viewers: () => this.#broadcast.readers,
    });
    this.#telling = setInterval(() => this.#tellMarks(), tellMarksEveryMs).unref();
  }

  async everySecond(way: WayReading): Promise<void> {
    const second: ControlSecond = await this.#sampler.sample(way);
    this.#broadcast.send(second);
  }

  history(seconds: number = hourSeconds): ControlHistory {
    const charted = this.#sampler.history.newest(seconds);
    const marks = this.marks.since(this.#gateway.queue.now() - seconds * 1_000);
    return { gatewayId: this.#gateway.id, ...charted, marks: [...marks] };
  }

  view(request: FastifyRequest, reply: FastifyReply): void {
    // Who has the admin token may open many: a machine that tests the room, say. All together stay bounded.
    this.#broadcast.add(request, reply, `ops:${request.id}`);
  }

  async stop(): Promise<void> {
    clearInterval(this.#telling);
    await this.#strip.stop();
  }

  #tellMarks(): void {
    const marks = this.marks.takeUntold();
    if (marks.length > 0) this.#broadcast.sendOnce("marks", marks);
  }
}
