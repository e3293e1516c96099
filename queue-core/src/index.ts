export * from "./engine.ts";
export { type Clock, type ManualClock, manualClock, systemClock } from "./engines/clock.ts";
export { createMemoryEngine, type MemoryEngineOptions } from "./engines/memory.ts";
export * from "./errors.ts";
export * from "./queue.ts";
export * from "./topic.ts";
