import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Sandbox, startSandbox } from "./index.ts";

interface Reply {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever came
  readonly body: any;
}

async function call(url: string, method: string, path: string, body?: unknown, key?: string): Promise<Reply> {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(key === undefined ? {} : { "idempotency-key": key }),
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

const payment = (reference: string, outcome = "succeed") => ({ reference, amountCents: 1_250, outcome });

describe("in one process", () => {
  let folder: string;
  let sandbox: Sandbox;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "plateau sandbox-"));
    sandbox = await startSandbox({ dataDir: folder });
  });
  afterAll(async () => {
    await sandbox.stop();
    await rm(folder, { recursive: true });
  });
  beforeEach(async () => {
    for (const service of ["payments", "sms", "risk"])
      await send("PUT", `/faults/${service}`, { latencyMs: 0, ratePerSecond: 0 });
  });
  const send = (method: string, path: string, body?: unknown, key?: string) =>
    call(sandbox.url, method, path, body, key);

  test("the same key gets the same authorisation, with another body 422", async () => {
    const first = await send("POST", "/payments/authorisations", payment("r1"), "k1");
    expect(first).toMatchObject({ status: 201, body: { status: "authorised", reference: "r1", amountCents: 1_250 } });
    const again = await send("POST", "/payments/authorisations", payment("r1"), "k1");
    expect(again).toMatchObject({ status: 201, body: first.body });
    expect(await send("POST", "/payments/authorisations", payment("r2"), "k1")).toMatchObject({
      status: 422,
      body: { code: "key-reused" },
    });
    const listed = await send("GET", "/payments/authorisations?reference=r1");
    expect(listed.body.authorisations).toHaveLength(1);
  });

  test("a declined card is 402 each time, and holds no money", async () => {
    for (let time = 0; time < 2; time++) {
      expect(await send("POST", "/payments/authorisations", payment("r3", "decline"), "k3")).toMatchObject({
        status: 402,
        body: { code: "declined" },
      });
    }
    expect((await send("GET", "/payments/authorisations?reference=r3")).body.authorisations).toEqual([]);
  });

  test("capture and void may be repeated, and each refuses after the other", async () => {
    for (const [first, status, second] of [
      ["capture", "captured", "void"],
      ["void", "voided", "capture"],
    ]) {
      const { body } = await send("POST", "/payments/authorisations", payment(`ref-${first}`), `key-${first}`);
      for (let time = 0; time < 2; time++) {
        expect(await send("POST", `/payments/authorisations/${body.id}/${first}`)).toMatchObject({
          status: 200,
          body: { status },
        });
      }
      expect(await send("POST", `/payments/authorisations/${body.id}/${second}`)).toMatchObject({ status: 409 });
    }
  });

  test("capture and void asked for at once settle it one way", async () => {
    const { body } = await send("POST", "/payments/authorisations", payment("race"), "race");
    const replies = await Promise.all(
      ["capture", "void", "capture", "void"].map((verb) => send("POST", `/payments/authorisations/${body.id}/${verb}`)),
    );
    expect(replies.map((reply) => reply.status).sort()).toEqual([200, 200, 409, 409]);
  });

  test("an order's messages are listed by the prefix of their keys, a page at a time, once each", async () => {
    for (const key of ["o_1:created", "o_1:paid", "o_10:created", "o_1:paid"]) {
      expect(await send("POST", "/sms", { to: "u_1", text: `about ${key}` }, key)).toMatchObject({ status: 201 });
    }
    const first = await send("GET", "/sms?prefix=o_1:&limit=1");
    expect(first.body.messages).toMatchObject([{ key: "o_1:created", to: "u_1" }]);
    const second = await send("GET", `/sms?prefix=o_1:&limit=5&after=${first.body.next}`);
    expect(second.body).toMatchObject({ messages: [{ key: "o_1:paid" }], next: null });
  });

  test("a lost answer leaves its effect, and the same key then gets the answer", async () => {
    await send("PUT", "/faults/sms", { latencyMs: 0, ratePerSecond: 0, loseEvery: 1 });
    await expect(send("POST", "/sms", { to: "u", text: "t" }, "lost")).rejects.toThrow();
    await send("PUT", "/faults/sms", { latencyMs: 0, ratePerSecond: 0 });
    const again = await send("POST", "/sms", { to: "u", text: "t" }, "lost");
    const listed = await send("GET", "/sms?prefix=lost");
    expect(listed.body.messages).toMatchObject([{ id: again.body.id }]);
  });

  test("a failing provider does nothing, every n-th time or at a rate", async () => {
    const statuses = async (): Promise<number[]> => {
      const seen: number[] = [];
      for (let n = 0; n < 6; n++) seen.push((await send("POST", "/sms", { to: "u", text: "t" }, `f${n}`)).status);
      return seen;
    };
    await send("PUT", "/faults/sms", { latencyMs: 0, ratePerSecond: 0, failEvery: 3 });
    expect(await statuses()).toEqual([201, 201, 503, 201, 201, 503]);
    await send("PUT", "/faults/sms", { latencyMs: 0, ratePerSecond: 0, failRate: 0.5 });
    expect(await statuses()).toEqual([201, 503, 201, 503, 201, 503]);
    expect((await send("GET", "/sms?prefix=f5")).body.messages).toEqual([]);
  });

  test("above the rate it answers 429 with Retry-After and does nothing", async () => {
    await send("PUT", "/faults/payments", { latencyMs: 0, ratePerSecond: 0.01 });
    expect((await send("POST", "/payments/authorisations", payment("slow1"), "slow1")).status).toBe(201);
    const refused = await send("POST", "/payments/authorisations", payment("slow2"), "slow2");
    expect(refused).toMatchObject({ status: 429, body: { code: "throttled" } });
    expect(refused.headers.get("retry-after")).toBe("100");
    expect((await send("GET", "/payments/authorisations?reference=slow2")).body.authorisations).toEqual([]);
  });

  test("emulators score high, everybody else low, the same each time", async () => {
    const subjects = [
      { id: "a", userId: "u_a", deviceId: "emulator-7", address: "127.0.0.1" },
      { id: "b", userId: "u_b", address: "127.0.0.1" },
    ];
    const first = await send("POST", "/risk/scores", { subjects });
    expect(first.body.scores[0]).toEqual({ id: "a", score: 0.97 });
    expect(first.body.scores[1].score).toBeLessThan(0.3);
    expect((await send("POST", "/risk/scores", { subjects })).body).toEqual(first.body);
  });

  test.each([
    ["no key", "POST", "/sms", { to: "u", text: "t" }, undefined, 400],
    ["an unknown field", "POST", "/sms", { to: "u", text: "t", extra: 1 }, "x", 400],
    ["a text for a number", "POST", "/payments/authorisations", { ...payment("r"), amountCents: "3" }, "x", 400],
    ["broken JSON", "POST", "/sms", '{"to":', "x", 400],
    ["an unknown authorisation", "POST", "/payments/authorisations/none/capture", undefined, undefined, 404],
    ["an unknown path", "GET", "/nothing", undefined, undefined, 404],
    ["a fault nobody knows", "PUT", "/faults/sms", { explode: true }, undefined, 400],
    ["an unknown provider", "PUT", "/faults/moon", {}, undefined, 404],
    ["a bad escape", "GET", "/sms/%zz", undefined, undefined, 400],
  ])("%s gets a problem", async (_name, method, path, body, key, status) => {
    const reply = await send(method, path, body, key);
    expect(reply.status).toBe(status);
    expect(reply.headers.get("content-type")).toContain("application/problem+json");
    expect(reply.body.code).toEqual(expect.any(String));
  });
});

describe("as a process that is killed", () => {
  const main = fileURLToPath(new URL("./main.ts", import.meta.url));
  let folder: string;
  let child: ChildProcess | undefined;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "plateau-sandbox-"));
  });
  afterEach(async () => {
    await kill();
    await rm(folder, { recursive: true });
  });

  async function start(): Promise<string> {
    child = fork(main, { env: { ...process.env, DATA_DIR: folder, PORT: "0" }, silent: true, execArgv: [] });
    let warnings = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      warnings += chunk.toString();
    });
    const [message] = (await once(child, "message")) as [{ ready: { url: string } }];
    expect(warnings).toBe("");
    return message.ready.url;
  }

  async function kill(): Promise<void> {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  test("answers and effects outlive SIGKILL in mid-traffic, once per key", async () => {
    const first = await start();
    const answered = new Map<string, string>();
    const sends = Array.from({ length: 200 }, async (_, n) => {
      const key = `o_${n}:created`;
      const reply = await call(first, "POST", "/sms", { to: "u", text: "t" }, key).catch(() => undefined);
      if (reply?.status === 201) answered.set(key, reply.body.id);
      if (answered.size === 20) await kill();
    });
    await Promise.all(sends);
    expect(answered.size).toBeGreaterThanOrEqual(20);

    const second = await start();
    await call(second, "PUT", "/faults/sms", { latencyMs: 0, ratePerSecond: 0 });
    for (let n = 0; n < 200; n++) {
      const key = `o_${n}:created`;
      const reply = await call(second, "POST", "/sms", { to: "u", text: "t" }, key);
      expect(reply.status).toBe(201);
      if (answered.has(key)) expect(reply.body.id).toBe(answered.get(key));
    }
    const listed = await call(second, "GET", "/sms");
    expect(listed.body.messages).toHaveLength(200);
  });

  test("it ends with its parent's channel", async () => {
    await start();
    child?.disconnect();
    const [code] = (await once(child as ChildProcess, "exit")) as [number];
    // Nobody told it to stop: whoever looks at its end sees that something went wrong.
    expect(code).toBe(1);
  });
});
