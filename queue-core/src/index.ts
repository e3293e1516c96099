export { isRedriven } from "./dead-letters.ts";
export * from "./engine.ts";
export { type Clock, type ManualClock, manualClock, systemClock } from "./engines/clock.ts";
export { type LogEngineOptions, openLogEngine } from "./engines/log/open-log-engine.ts";
export { createMemoryEngine, type MemoryEngineOptions } from "./engines/memory.ts";
export { connectEngine } from "./engines/port/connect-engine.ts";
export { type ServedEngine, serveEngine } from "./engines/port/serve-engine.ts";
export * from "./errors.ts";
export {
  describeGroups,
  type GroupDescription,
  type GroupMemberDescription,
  type GroupPartition,
} from "./group-overview.ts";
export { retireGroup } from "./group-registry.ts";
export type { Addition, Interceptor, OutgoingMessage, PublishOutcome } from "./interceptors.ts";
export {
  deadLetterNamespace,
  delayNamespace,
  halfNamespace,
  type MemberTraits,
  membershipName,
  memberTraits,
  stateNamespace,
} from "./namespaces.ts";
export { openQueue, type QueueOptions } from "./open-queue.ts";
export * from "./queue.ts";
export {
  type GapDetector,
  type GapStatistics,
  gapDetector,
  type SequenceAnomaly,
  sequenceNumbers,
} from "./sequence-numbers.ts";
export {
  createSharedTokenBucket,
  type SharedTokenBucket,
  type SharedTokenBucketOptions,
} from "./shared-token-bucket.ts";
export { openSharedValue, type SharedValue, type SharedValueOptions } from "./shared-value.ts";
export { systemTimers, type Timers } from "./timers.ts";
export { createTokenBucket } from "./token-bucket.ts";
export type { TokenRate } from "./token-leases.ts";
export * from "./topic.ts";
