export * from "./http.ts";
export * from "./ids.ts";
export * from "./knobs.ts";
export * from "./messages.ts";
export * from "./problems.ts";
export * from "./risk/decide.ts";
export * from "./stock/decide.ts";
export * from "./topics.ts";
