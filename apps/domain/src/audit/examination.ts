/**
 * One invariant under examination. The verdict follows from what was noted: where evidence that it needs is not there,
 * `unknown`, since what seems an offence may only be missing; else any offence is a `fail`; without one, a group that
 * is behind, or nothing to look at, is `unknown`; only the rest passes.
 */
import type { AuditReport } from "../http.ts";
import type { Evidence, TopicOfLog } from "./evidence.ts";

export type InvariantReport = AuditReport["invariants"][number];

/** What an invariant needs to have been looked at before it may pass. */
export interface Needs {
  readonly topics?: readonly TopicOfLog[];
  /** Consumer groups that must have caught up. */
  readonly groups?: readonly string[];
  readonly sources?: readonly ("state" | "database" | "provider")[];
}

const idsShown = 3;

export class Examination {
  readonly #id: number;
  readonly #title: string;
  /** Needed evidence that is not there, or whose beginning is not. */
  readonly #unread: readonly string[];
  readonly #blind: string[];
  readonly #facts: string[] = [];
  readonly #offences = new Map<string, { count: number; first: string[] }>();
  #examined = 0;

  constructor(id: number, title: string, evidence: Evidence, needs: Needs) {
    this.#id = id;
    this.#title = title;
    this.#unread = unread(evidence, needs);
    this.#blind = behind(evidence, needs);
  }

  /** Counts things that were really looked at; an invariant that examined nothing cannot pass. */
  examined(count: number): void {
    this.#examined += count;
  }

  /** A number worth reading. */
  fact(text: string): void {
    this.#facts.push(text);
  }

  /** `kind` is a clause that fits all offences of its kind; `id` names this one. */
  offence(kind: string, id: string): void {
    const known = this.#offences.get(kind) ?? { count: 0, first: [] };
    known.count++;
    if (known.first.length < idsShown) known.first.push(id);
    this.#offences.set(kind, known);
  }

  couldNotLook(why: string): void {
    if (!this.#blind.includes(why)) this.#blind.push(why);
  }

  report(): InvariantReport {
    const offences = [...this.#offences].map(
      ([kind, { count, first }]) => `${kind}: ${count} (${first.join(", ")}${count > first.length ? ", …" : ""})`,
    );
    const base = { id: this.#id, title: this.#title };
    if (this.#unread.length > 0) {
      // What seems to be missing may be in what could not be read.
      const seeming = offences.length === 0 ? "" : `; without it, it seems: ${offences.join("; ")}`;
      const blind = [...this.#unread, ...this.#blind].join("; ");
      return { ...base, verdict: "unknown", evidence: `could not look: ${blind}${seeming}` };
    }
    if (offences.length > 0) return { ...base, verdict: "fail", evidence: offences.join("; ") };
    if (this.#blind.length > 0) {
      return { ...base, verdict: "unknown", evidence: `could not look: ${this.#blind.join("; ")}` };
    }
    if (this.#examined === 0) return { ...base, verdict: "unknown", evidence: "no evidence: nothing happened yet" };
    return { ...base, verdict: "pass", evidence: this.#facts.join("; ") };
  }
}

function unread(evidence: Evidence, needs: Needs): string[] {
  const blind: string[] = [];
  for (const topic of needs.topics ?? []) {
    const source = evidence.log[topic];
    if (!source.looked) blind.push(`${topic}: ${source.why}`);
    else if (source.found.partitions.some((partition) => partition.start > 0)) {
      blind.push(`${topic}: its oldest messages are no longer kept`);
    }
  }
  for (const name of needs.sources ?? []) {
    const source = evidence[name];
    if (!source.looked) blind.push(`${name}: ${source.why}`);
  }
  return blind;
}

function behind(evidence: Evidence, needs: Needs): string[] {
  const blind: string[] = [];
  for (const topic of needs.topics ?? []) {
    const source = evidence.log[topic];
    if (source.looked && source.found.partitions.some(({ start, end, read }) => read < end - start)) {
      blind.push(`${topic}: it was read in part`);
    }
  }
  for (const lag of evidence.lag) {
    if (needs.groups?.includes(lag.group)) {
      blind.push(`group ${lag.group} is ${lag.behindMessages} messages behind on ${lag.topic}`);
    }
  }
  return blind;
}
