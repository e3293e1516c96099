export { createHttpRiskScorer } from "./http-risk-scorer.ts";
export { type RiskStageOptions, startRiskStage } from "./risk.ts";
export type { RiskScorer, RiskSubject } from "./risk-scorer.ts";
export { startWorker, type Worker, type WorkerOptions } from "./start-worker.ts";
export { type StockStageOptions, startStockStage } from "./stock.ts";
