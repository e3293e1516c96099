export type { JobQueue } from "./jobs/job-queue.ts";
export { createHttpPaymentProvider } from "./payment/http-payment-provider.ts";
export type { PaymentProvider } from "./payment/payment-provider.ts";
export { ProviderRefused, ProviderUnavailable } from "./providers/provider-errors.ts";
export { createHttpSmsProvider } from "./sms/http-sms-provider.ts";
export type { SmsProvider } from "./sms/sms-provider.ts";
export { type Consumers, type ConsumersOptions, startConsumers } from "./start-consumers.ts";
