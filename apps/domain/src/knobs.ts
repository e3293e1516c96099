/**
 * The settings that act at once, in every process of the system.
 *
 * What can go wrong: a patch that fits in part would leave settings nobody asked for, so a patch is checked as a
 * whole and applied as a whole or not at all. Readers get a frozen value: one decision sees one set of settings.
 * While processes are replaced one by one, an older one may meet settings that it does not know: it keeps to those
 * that it knows, and where one does not fit, to the default.
 */
import { type Engine, openSharedValue } from "queue-core";
import { Knobs, KnobsPatch } from "./http.ts";

/**
 * Wide enough for a load test from one machine and for the demo's crowd: a person alone never meets them, a script
 * that hammers does.
 */
export const defaultKnobs: Knobs = Object.freeze({
  decisionCostMs: 0,
  tokenRatePerSecond: 50_000,
  tokenBurst: 50_000,
  backlogMax: 100_000,
  userRatePerSecond: 5,
  addressRatePerSecond: 100,
  limitLoopback: false,
  velocityPerMinute: 30,
  accountsPerDevice: 10,
  workers: 1,
  batchMax: 256,
  paymentLatencyMs: 20,
  smsLatencyMs: 15,
  riskLatencyMs: 3,
  crowdShoppers: 400,
});

export interface KnobStore {
  /** As last seen here; asks nobody. */
  get(): Knobs;
  /**
   * Resolves with the settings after the change, once they are stored. Rejects with a ZodError, and changes nothing,
   * where the result would not fit `Knobs`; or with what the engine says.
   */
  patch(part: unknown): Promise<Knobs>;
  stop(): void;
}

export interface KnobOptions {
  readonly engine: Engine;
  /** In force until somebody changes a setting; what is not named has its default. */
  readonly initial?: Partial<Knobs>;
  readonly onBackgroundError?: (where: string, error: unknown) => void;
}

/** The settings shared by all processes on this engine; kept across restarts where the engine keeps anything. */
export async function openKnobs({ engine, initial = {}, ...options }: KnobOptions): Promise<KnobStore> {
  const first = Object.freeze(Knobs.parse({ ...defaultKnobs, ...initial }));
  const shared = await openSharedValue<Knobs>({
    engine,
    name: "knobs",
    initial: first,
    decode: (stored) => knownOf(stored, first),
    ...options,
  });
  return {
    get: () => shared.get(),
    async patch(part) {
      const change = KnobsPatch.parse(part);
      return shared.change((before) => Object.freeze(Knobs.parse({ ...before, ...change })));
    },
    stop: () => shared.stop(),
  };
}

/** Of what was stored, whatever this program knows and finds fitting. */
function knownOf(stored: unknown, otherwise: Knobs): Knobs {
  const fitting = Object.entries(KnobsPatch.shape).flatMap(([name, schema]) => {
    const parsed = schema.safeParse((stored as Record<string, unknown> | null)?.[name]);
    return parsed.success && parsed.data !== undefined ? [[name, parsed.data] as const] : [];
  });
  return Object.freeze(Knobs.parse({ ...otherwise, ...Object.fromEntries(fitting) }));
}
