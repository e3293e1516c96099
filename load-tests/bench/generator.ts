/**
 * A lean load generator for the benches: its own process, raw HTTP/1.1 keep-alive sockets, requests built before
 * the clock starts. k6 and autocannon spend more time per request than the bare Fastify they would measure, and a
 * generator that is the bottleneck flatters the slower side.
 *
 * What can go wrong: a response split over chunks (the parser keeps the rest), a closed connection (counted as an
 * error, never silently retried), an answer that is not what the round is about (statuses are returned and checked).
 */
import { connect, type Socket } from "node:net";
import type { BenchChild } from "./child.ts";

export interface GeneratorJob {
  readonly host: string;
  /** Connections take them in turn. */
  readonly ports: readonly number[];
  readonly path: string;
  readonly body: string;
  /** One request per token, each with an idempotency key of its own. */
  readonly tokens: readonly string[];
  readonly keyPrefix: string;
  readonly connections: number;
}

export interface GeneratorResult {
  readonly elapsedMs: number;
  /** HTTP status → how many. */
  readonly statuses: Readonly<Record<string, number>>;
  /** First bodies seen per status, for the error text of an invalid round. */
  readonly samples: Readonly<Record<string, string>>;
  readonly errors: number;
  /** Answer time in ms of every request, unsorted. */
  readonly latenciesMs: readonly number[];
}

const headEnd = Buffer.from("\r\n\r\n");

function buildRequest(job: GeneratorJob, index: number): Buffer {
  return Buffer.from(
    `POST ${job.path} HTTP/1.1\r\nHost: ${job.host}\r\nAuthorization: Bearer ${job.tokens[index]}\r\n` +
      `Idempotency-Key: ${job.keyPrefix}-${index}\r\nPrefer: wait=30\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(job.body)}\r\n\r\n${job.body}`,
  );
}

/** One complete response at the start of `bytes`, or undefined while it is still arriving. */
function parseResponse(bytes: Buffer): { status: string; length: number; body: () => string } | undefined {
  const end = bytes.indexOf(headEnd);
  if (end < 0) return undefined;
  const head = bytes.toString("latin1", 0, end);
  const match = /\r\ncontent-length: (\d+)/i.exec(head);
  if (!match) throw new Error(`a response without content-length: ${head}`);
  const bodyStart = end + headEnd.length;
  const length = bodyStart + Number(match[1]);
  if (bytes.length < length) return undefined;
  return { status: head.slice(9, 12), length, body: () => bytes.toString("utf8", bodyStart, length) };
}

export async function generate(job: GeneratorJob): Promise<GeneratorResult> {
  const requests = job.tokens.map((_, index) => buildRequest(job, index));
  const statuses: Record<string, number> = {};
  const samples: Record<string, string> = {};
  const latenciesMs: number[] = [];
  let next = 0;
  let errors = 0;

  const openSocket = (_: unknown, index: number): Promise<Socket> =>
    new Promise((resolve, reject) => {
      const port = job.ports[index % job.ports.length] as number;
      const socket = connect({ host: job.host, port, noDelay: true }, () => resolve(socket));
      socket.once("error", reject);
    });
  const sockets = await Promise.all(Array.from({ length: job.connections }, openSocket));

  const run = (socket: Socket): Promise<void> =>
    new Promise((resolve) => {
      let pending: Buffer = Buffer.alloc(0);
      let sentAtMs = 0;
      let waiting = false;
      const send = (): void => {
        const request = requests[next];
        if (request === undefined) {
          socket.end();
          return;
        }
        next++;
        waiting = true;
        sentAtMs = performance.now();
        socket.write(request);
      };
      socket.removeAllListeners("error");
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        if (waiting) errors++;
        resolve();
      });
      socket.on("data", (chunk) => {
        pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
        const response = parseResponse(pending);
        if (response === undefined) return;
        latenciesMs.push(performance.now() - sentAtMs);
        statuses[response.status] = (statuses[response.status] ?? 0) + 1;
        samples[response.status] ??= response.body();
        pending = pending.subarray(response.length);
        waiting = false;
        send();
      });
      send();
    });

  const startedAt = performance.now();
  await Promise.all(sockets.map(run));
  return { elapsedMs: performance.now() - startedAt, statuses, samples, errors, latenciesMs };
}

/** Has `generator` do the job; throws unless every answer had that status. */
export async function runRound(generator: BenchChild, job: GeneratorJob, status: string): Promise<GeneratorResult> {
  const result = await generator.ask<GeneratorResult>(job);
  const expected = result.statuses[status] ?? 0;
  if (expected !== job.tokens.length || result.errors > 0) {
    throw new Error(
      `invalid round: ${expected} of ${job.tokens.length} answers were ${status}; ` +
        `${JSON.stringify(result.statuses)}, ${result.errors} errors, e.g. ${JSON.stringify(result.samples)}`,
    );
  }
  return result;
}

if (process.send !== undefined) {
  process.on("message", (job: GeneratorJob) => {
    generate(job).then(
      (result) => process.send?.(result),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
}
