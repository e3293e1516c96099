export * from "./engine.ts";
export * from "./errors.ts";
export * from "./queue.ts";
export * from "./topic.ts";
