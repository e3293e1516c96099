/**
 * The control room's contract: what it shows; what it can order stands in control-orders.ts. All of it stands behind
 * the admin token.
 *
 *   GET    /api/ops/room                 what can be turned, broken and played here
 *   GET    /api/ops/stream               server-sent events: `second` once a second, `marks` (an array) at most 3/s
 *   GET    /api/ops/history?seconds=N    the chart's past, up to an hour
 *   GET    /api/ops/topics               every topic with its groups
 *   GET    /api/ops/topics/:topic        one edge looked into: offsets, newest messages, dead letters
 *   POST   /api/ops/dead-letters/:group/:topic/redrive
 *   GET    /api/ops/knobs   PATCH …      settings (`Knobs` in http.ts)
 *   GET    /api/ops/faults               all faults with their state
 *   PUT    /api/ops/faults/:id  DELETE … begins or replaces one; ends it before its time
 *   GET    /api/ops/spikes               the ready scenarios and the spike that runs or ran last
 *   POST   /api/ops/spikes  DELETE …     begins one (409 while another runs); stops it
 *   POST   /api/ops/sales                makes a sale (`OpsSaleBody` in http.ts)
 *   GET    /api/ops/session              204 with the admin token or its cookie, else 401
 *   POST   /api/ops/session              the token, for the cookie
 *
 * Times called `…Ms` are milliseconds; `atMs` and others that name a moment are ms since epoch, engine time.
 */
import { z } from "zod";
import { SpikeStatus } from "./control-orders.ts";
import { verdicts } from "./http.ts";

/** Over the second that a sample tells of, ms; null where nothing was measured. True to within 5 %. */
export const Latency = z.object({
  p50: z.number().nullable(),
  p95: z.number().nullable(),
  p99: z.number().nullable(),
});

/** The way of a purchase, edge by edge, in the order in which it goes. */
export const edgeIds = [
  "requests",
  "commands",
  "replies",
  "reservations",
  "orders",
  "sms-jobs",
  "payments",
  "payment-jobs",
  "statistics",
] as const;

/** Who stands at the ends of an edge. */
export const wayNodes = [
  "gateway",
  "risk",
  "stock",
  "orders",
  "sms",
  "payments",
  "statistics",
  "sms-provider",
  "payment-provider",
] as const;

/** One edge as it is now. */
export const Edge = z.object({
  id: z.enum(edgeIds),
  from: z.enum(wayNodes),
  to: z.enum(wayNodes),
  /** The topic to look into (`/api/ops/topics/:topic`) and the group at its end; null for replies. */
  topic: z.string().nullable(),
  group: z.string().nullable(),
  /** Messages that were taken off per second, over the last second. */
  ratePerSecond: z.number(),
  /** Messages that wait at its end (lag); for replies, purchases whose answer is awaited. */
  depthMessages: z.int(),
  /** How long the oldest of them has waited; null where none waits. */
  oldestAgeMs: z.number().nullable(),
  /** Handed to somebody and not done yet; null where that is not known here. */
  inFlight: z.int().nullable(),
});

/** Why a purchase was not admitted, or did not win: codes of problems and reasons of the stages, per second. */
const ratesByReason = z.record(z.string(), z.number());

/** Units of one sale, from the live state of the stock stage. */
export const StockLine = z.object({
  saleId: z.string(),
  title: z.string(),
  stock: z.int(),
  available: z.int(),
  reserved: z.int(),
  sold: z.int(),
  /** stock = available + reserved + sold, and none below 0. */
  holds: z.boolean(),
});

/** The last audit that ran; it runs each 15 s or so while somebody watches, and not otherwise. */
export const AuditLine = z.object({
  verdict: z.enum(verdicts),
  /** When it ended. */
  atMs: z.int(),
  tookMs: z.number(),
  /** Invariants that did not pass. */
  amiss: z.array(
    z.object({ id: z.int(), title: z.string(), verdict: z.enum(["fail", "unknown"]), evidence: z.string() }),
  ),
});

export const markKinds = [
  "knob",
  "fault-began",
  "fault-ended",
  "spike-began",
  "spike-ended",
  "sale-made",
  "sold-out",
] as const;

/** Something that happened, to be drawn on the chart. Kept for the hour. */
export const Mark = z.object({
  /** Grows; names the mark. */
  id: z.int(),
  atMs: z.int(),
  kind: z.enum(markKinds),
  /** Which one: a knob's name, a fault's or a scenario's id, a sale's id. */
  what: z.string(),
  /** E.g. `{ from: 1, to: 4 }` of a knob, `{ seconds: 10, group: "sms" }` of a fault, `{ title, stock }` of a sale. */
  detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  /** Who did it: `control room`, `spike` or `system`. */
  by: z.string(),
});

/**
 * The stream's event `second`. Arrivals, admissions, what was shed, latencies and replies are those of the gateway
 * that is asked; decisions, backlog, depths and stock are the system's. Rates are per second.
 */
export const ControlSecond = z.object({
  atMs: z.int(),
  arrivals: z.number(),
  admitted: z.number(),
  /** Refused by the gateway before the queue, by problem code: `throttled`, `overloaded`, `sold-out`, … */
  shed: ratesByReason,
  /** Decided by the stock stage, whatever the outcome. */
  decided: z.number(),
  /** Of those that came here. */
  won: z.number(),
  /** Requests published and not yet decided. */
  backlog: z.int(),
  latency: z.object({
    /** From publish until it is durable. */
    enqueue: Latency,
    /** From durable until it is decided. */
    wait: Latency,
    /** From the request until its HTTP answer, 202 included. */
    answer: Latency,
  }),
  edges: z.array(Edge),
  /** Sales that run now, newest first, 8 at most. */
  sales: z.array(StockLine),
  /** Null until one ran. */
  audit: AuditLine.nullable(),
  /** Of the running spike, or of the last one; null where there was none. */
  spike: SpikeStatus.nullable(),
  /** Ids of the faults that act now. */
  faults: z.array(z.string()),
  /** Who watches this gateway's stream. */
  viewers: z.int(),
});

/** `?seconds=3600`, the most. */
export const ControlHistoryQuery = z.strictObject({
  seconds: z.coerce.number().int().min(1).max(3_600).optional(),
});

const column = z.array(z.number());
const gappedColumn = z.array(z.number().nullable());
const latencyColumns = z.object({ p50: gappedColumn, p95: gappedColumn, p99: gappedColumn });

/** The chart's past by columns, all of one length, oldest first, each instant once; a gap in time is a gap here. */
export const ControlHistory = z.object({
  gatewayId: z.string(),
  atMs: column,
  arrivals: column,
  admitted: column,
  /** The sum over all reasons. */
  shed: column,
  /** The reasons that occurred; each has a column. */
  shedBy: z.record(z.string(), column),
  decided: column,
  won: column,
  backlog: column,
  latency: z.object({ enqueue: latencyColumns, wait: latencyColumns, answer: latencyColumns }),
  /** Of the same time, oldest first. */
  marks: z.array(Mark),
});

/** A message as it lies in a topic. */
export const PeekedMessage = z.object({
  partition: z.int(),
  offset: z.int(),
  atMs: z.int(),
  key: z.string(),
  valueBytes: z.int(),
  /** The decoded value, without secrets; null where it cannot be read or is larger than 4 KiB. */
  value: z.unknown(),
  /** Why there is no value. */
  unreadable: z.enum(["not-decodable", "too-large"]).nullable(),
});

export const GroupOnTopic = z.object({
  group: z.string(),
  /** Lag over all partitions. */
  lagMessages: z.int(),
  /** Kept now; 10,000 means so many or more. */
  deadLetters: z.int(),
  partitions: z.array(
    z.object({
      partition: z.int(),
      /** Next to read. */
      committed: z.int(),
      end: z.int(),
      lagMessages: z.int(),
      /** How long its oldest unread message has waited; null where none waits. */
      oldestAgeMs: z.number().nullable(),
      /** The member that holds its lease, and the lease's fencing epoch; null where nobody does, or it is not known. */
      owner: z.string().nullable(),
      epoch: z.int().nullable(),
    }),
  ),
});

export const TopicSummary = z.object({
  topic: z.string(),
  partitions: z.int(),
  /** Readable ones, over all partitions. */
  messages: z.int(),
  groups: z.array(z.object({ group: z.string(), lagMessages: z.int(), deadLetters: z.int() })),
});
export const TopicSummaries = z.object({ topics: z.array(TopicSummary) });

/** `?limit=20`, at most 100: how many of the newest messages and of each group's dead letters. */
export const TopicQuery = z.strictObject({ limit: z.coerce.number().int().min(1).max(100).optional() });

export const TopicView = z.object({
  topic: z.string(),
  /** Offsets that can be read: from `start` to before `end`. */
  partitions: z.array(z.object({ partition: z.int(), start: z.int(), end: z.int() })),
  groups: z.array(GroupOnTopic),
  /** Newest first. */
  latest: z.array(PeekedMessage),
  /** What groups gave up on, and why; `errors` oldest first. */
  deadLetters: z.array(
    PeekedMessage.extend({
      group: z.string(),
      reason: z.string(),
      errors: z.array(z.object({ atMs: z.int(), error: z.string() })),
    }),
  ),
});

/** What this system is, as far as the page has to know. */
export const ControlRoom = z.object({
  gatewayId: z.string(),
  /** `embedded`: one back end on one machine. `processes`: any number of each, on Redis. */
  profile: z.enum(["embedded", "processes"]),
  /** Knobs that cannot be turned here, each with a sentence that says why. */
  fixedKnobs: z.record(z.string(), z.string()),
  /** Settings that the store risks, as sentences; empty: none. */
  storageRisks: z.array(z.string()),
});

export type Latency = z.infer<typeof Latency>;
export type Edge = z.infer<typeof Edge>;
export type EdgeId = (typeof edgeIds)[number];
export type StockLine = z.infer<typeof StockLine>;
export type AuditLine = z.infer<typeof AuditLine>;
export type Mark = z.infer<typeof Mark>;
export type ControlSecond = z.infer<typeof ControlSecond>;
export type ControlHistory = z.infer<typeof ControlHistory>;
export type PeekedMessage = z.infer<typeof PeekedMessage>;
export type GroupOnTopic = z.infer<typeof GroupOnTopic>;
export type TopicSummary = z.infer<typeof TopicSummary>;
export type TopicView = z.infer<typeof TopicView>;
export type ControlRoom = z.infer<typeof ControlRoom>;
