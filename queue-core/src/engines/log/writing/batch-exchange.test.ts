import { describe, expect, it } from "vitest";
import { BatchExchange } from "./batch-exchange.ts";
import { WatchRecord } from "./watch-record.ts";

/** The engine's side and the thread's, on the same memory. */
function bothSides() {
  const engine = new BatchExchange();
  return { engine, thread: new BatchExchange(engine.memory) };
}

describe("the exchange of batches", () => {
  it("hands a batch over as it was laid down, and tells when it is written", () => {
    const { engine, thread } = bothSides();
    expect(engine.lay({ batch: Buffer.from("batch"), position: 2 ** 40, beginSegment: undefined })).toBe(true);
    const number = engine.ask();
    const taken = thread.take();
    expect(taken?.batch.toString()).toBe("batch");
    expect(taken).toMatchObject({ position: 2 ** 40, beginSegment: undefined });
    expect(engine.isWritten(number)).toBe(false);
    thread.answerWritten();
    expect(engine.isWritten(number)).toBe(true);
  });

  it("takes a batch that is too large for it, and a request without one, for messages", () => {
    const { engine, thread } = bothSides();
    expect(engine.lay({ batch: Buffer.alloc(2 ** 20 + 1), position: 32, beginSegment: 7 })).toBe(false);
    engine.ask();
    expect(thread.take()).toBeUndefined();
    engine.ask();
    expect(thread.take()).toBeUndefined();
  });

  it("has word sent to an engine that fell asleep before the answer, and keeps one awake that comes too late", () => {
    const { engine, thread } = bothSides();
    const write = () => {
      engine.lay({ batch: Buffer.from("batch"), position: 32, beginSegment: undefined });
      const number = engine.ask();
      thread.take();
      return number;
    };
    const asleep = write();
    expect(engine.sleepFor(asleep)).toBe(true);
    expect(thread.answerWritten()).toBe(true);

    const awake = write();
    expect(thread.answerWritten()).toBe(false);
    expect(engine.sleepFor(awake)).toBe(false);

    write();
    expect(thread.answerWritten()).toBe(false);
  });
});

describe("a watch record", () => {
  it("makes up for looks in vain by more and more sleeps, and begins anew after one that was not", () => {
    const record = new WatchRecord();
    const sleepsAfterVain = () => {
      expect(record.pays()).toBe(true);
      record.inVain();
      let sleeps = 0;
      while (!record.pays()) sleeps++;
      return sleeps;
    };
    expect(Array.from({ length: 10 }, sleepsAfterVain)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 256]);
    record.seen();
    expect(sleepsAfterVain()).toBe(1);
  });
});
