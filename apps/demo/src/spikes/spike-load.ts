/**
 * Sends a spike's requests at their time, whatever becomes of those before: an open load, as a crowd is one.
 *
 * What can go wrong: the shop answers late and calls pile up here; beyond a bound no more are sent until some are
 * answered, and `sent` tells that fewer were. A call without an answer is given up after a while and counted as 0.
 */
import { Agent, request } from "node:http";

const outstandingMax = 3_000;
const socketsMax = 1_024;
const tickMs = 20;
const answerWithinMs = 15_000;

export interface Load {
  readonly url: string;
  readonly saleId: string;
  readonly tokens: readonly string[];
  readonly perSecond: number;
  readonly seconds: number;
}

export interface Progress {
  readonly sent: number;
  readonly answered: number;
  readonly answers: Readonly<Record<string, number>>;
  readonly outcomes: Readonly<Record<string, number>>;
}

export class SpikeLoad {
  readonly #load: Load;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: socketsMax });
  readonly #answers: Record<string, number> = {};
  readonly #outcomes: Record<string, number> = {};
  readonly #done = Promise.withResolvers<void>();
  #timer: NodeJS.Timeout | undefined;
  #beganMs = 0;
  #sent = 0;
  #answered = 0;
  #isEnding = false;

  constructor(load: Load) {
    this.#load = load;
  }

  get progress(): Progress {
    const { sent, answered, answers, outcomes } = {
      sent: this.#sent,
      answered: this.#answered,
      answers: this.#answers,
      outcomes: this.#outcomes,
    };
    return { sent, answered, answers: { ...answers }, outcomes: { ...outcomes } };
  }

  /** Resolves when all were sent and answered, or given up. */
  run(): Promise<void> {
    this.#beganMs = performance.now();
    this.#timer = setInterval(() => this.#tick(), tickMs);
    return this.#done.promise.finally(() => this.#agent.destroy());
  }

  /** Sends no more, and waits for no answer. */
  stop(): void {
    this.#isEnding = true;
    clearInterval(this.#timer);
    this.#agent.destroy();
    this.#done.resolve();
  }

  #tick(): void {
    const { perSecond, seconds } = this.#load;
    const elapsedS = (performance.now() - this.#beganMs) / 1_000;
    const due = Math.floor(Math.min(elapsedS, seconds) * perSecond);
    while (this.#sent < due && this.#sent - this.#answered < outstandingMax) this.#send();
    if (elapsedS < seconds) return;
    this.#isEnding = true;
    clearInterval(this.#timer);
    this.#endWhenAnswered();
  }

  #endWhenAnswered(): void {
    if (this.#isEnding && this.#answered === this.#sent) this.#done.resolve();
  }

  #send(): void {
    const { url, saleId, tokens } = this.#load;
    const token = tokens[this.#sent++ % tokens.length];
    const call = request(`${url}/api/sales/${saleId}/purchases`, {
      method: "POST",
      agent: this.#agent,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json", "content-length": 2 },
      timeout: answerWithinMs,
    });
    let isCounted = false;
    const count = (status: number, text: string): void => {
      if (isCounted) return;
      isCounted = true;
      this.#answered++;
      increment(this.#answers, String(status));
      increment(this.#outcomes, status === 0 ? "no answer" : outcomeOf(text));
      this.#endWhenAnswered();
    };
    call.on("response", (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (chunk: string) => {
        text += chunk;
      });
      answer.on("end", () => count(answer.statusCode ?? 0, text));
      answer.on("error", () => count(0, ""));
    });
    call.on("timeout", () => call.destroy());
    call.on("error", () => count(0, ""));
    call.on("close", () => count(0, ""));
    call.end("{}");
  }
}

/** The state of a purchase, or the code of a problem. */
function outcomeOf(text: string): string {
  try {
    const { state, code } = JSON.parse(text) as { state?: string; code?: string };
    return state ?? code ?? "unknown";
  } catch {
    return "unknown";
  }
}

function increment(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}
