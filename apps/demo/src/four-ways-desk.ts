/**
 * Where the gateways of a system ask for the experiment of the four ways: one at a time for all of them, since it
 * runs here, in the supervisor's care, and not in a gateway.
 *
 *   GET  ──► the report     POST ──► 202 with it, or 409 while one runs     DELETE ──► the report, once nothing runs
 *
 * What can go wrong: any program on this machine could call it. It listens on loopback alone, below a path that is
 * drawn anew at each start and told to nobody but the gateways.
 * Promise: after `stop` no process of an experiment runs and its folder is gone.
 */
import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { FourWaysBody, type FourWaysReport, noFourWaysYet } from "@plateau/domain";
import type { Size } from "@plateau/labs";
import type { Logger } from "pino";
import { FourWaysRun } from "./four-ways-run.ts";

export interface DeskOptions {
  readonly databaseUrl: string;
  /** Of the desk alone; made when an experiment begins, removed when it ends. */
  readonly folder: string;
  readonly log: Logger;
  /** File descriptor for what the experiment's processes print. */
  readonly output: number | "inherit";
  readonly size?: Size;
}

/** The shop goes first where the processor is short. */
const niceness = 5;
const bodyLimitBytes = 1_024;
/** Of the 5 s that the whole system may take to stop. */
const stopWithinMs = 2_000;

export class FourWaysDesk {
  readonly #options: DeskOptions;
  readonly #server: Server;
  readonly #secret = randomBytes(16).toString("base64url");
  #run: FourWaysRun | undefined;
  #isRunning = false;
  #isStopped = false;

  private constructor(options: DeskOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async open(options: DeskOptions): Promise<FourWaysDesk> {
    const desk = new FourWaysDesk(options);
    await new Promise<void>((resolve, reject) => {
      desk.#server.once("error", reject);
      desk.#server.listen(0, "127.0.0.1", resolve);
    });
    return desk;
  }

  /** For the gateways alone. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/${this.#secret}`;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await Promise.all([closed, this.#run?.stop({ withinMs: stopWithinMs })]);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const { status, report } = await this.#answer(request);
      response.writeHead(status, { "content-type": "application/json" });
      response.end(report === undefined ? undefined : JSON.stringify(report));
    } catch (error) {
      this.#options.log.warn({ err: error }, "the four ways could not be asked for");
      response.writeHead(400).end();
    }
  }

  async #answer(request: IncomingMessage): Promise<{ status: number; report?: FourWaysReport }> {
    if (request.url !== `/${this.#secret}`) return { status: 404 };
    if (request.method === "GET") return { status: 200, report: this.#report };
    if (request.method === "DELETE") {
      await this.#run?.stop();
      return { status: 200, report: this.#report };
    }
    if (request.method !== "POST") return { status: 405 };
    const body = FourWaysBody.parse(await jsonOf(request));
    if (this.#isRunning || this.#isStopped) return { status: 409, report: this.#report };
    this.#begin(body?.seed ?? 1);
    return { status: 202, report: this.#report };
  }

  get #report(): FourWaysReport {
    return this.#run?.report ?? noFourWaysYet;
  }

  #begin(seed: number): void {
    this.#isRunning = true;
    this.#run = new FourWaysRun({ ...this.#options, seed, niceness });
    void this.#run.ended.finally(() => {
      this.#isRunning = false;
    });
  }
}

async function jsonOf(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > bodyLimitBytes) throw new Error("the body is too large");
  }
  return text === "" ? null : JSON.parse(text);
}
