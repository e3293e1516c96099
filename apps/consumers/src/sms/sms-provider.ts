/** What the SMS consumer needs of a provider; any gateway with idempotency keys can fill it. */
export interface SmsProvider {
  /**
   * Sends once per idempotency key; a repeat resolves with the first message's id. Throws ProviderUnavailable where
   * the same call may work later, ProviderRefused where it never will.
   */
  send(
    message: { readonly idempotencyKey: string; readonly to: string; readonly text: string },
    signal: AbortSignal,
  ): Promise<{ readonly id: string }>;
}
