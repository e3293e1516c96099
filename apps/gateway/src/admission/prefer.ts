/** Reads `Prefer` (RFC 7240) as far as a purchase call honours it. */

export interface Preference {
  /** How long the call may be held, ms. */
  readonly waitMs: number;
  /** For `Preference-Applied`; undefined where nothing was asked for. */
  readonly applied: string | undefined;
}

/** `wait=N` seconds, up to `waitMaxMs`; `respond-async` alone: not held at all. What does not fit is ignored. */
export function readPreference(
  header: string | readonly string[] | undefined,
  limits: { readonly waitMs: number; readonly waitMaxMs: number },
): Preference {
  if (header === undefined) return { waitMs: limits.waitMs, applied: undefined };
  let respondAsync = false;
  let waitS: number | undefined;
  for (const preference of String(header).split(",")) {
    const [name = "", value] = preference
      .trim()
      .toLowerCase()
      .split(/\s*[=;]\s*/);
    if (name === "respond-async") respondAsync = true;
    else if (name === "wait" && value !== undefined && /^"?\d{1,6}"?$/.test(value))
      waitS = Number(value.replaceAll('"', ""));
  }
  if (waitS !== undefined) {
    const waitMs = Math.min(waitS * 1000, limits.waitMaxMs);
    return { waitMs, applied: `wait=${Math.floor(waitMs / 1000)}` };
  }
  if (respondAsync) return { waitMs: 0, applied: "respond-async" };
  return { waitMs: limits.waitMs, applied: undefined };
}
