/**
 * Keeps what a visitor chose by hand, the language and the theme, in cookies of this browser, and goes back to the
 * page that the form stood on.
 *
 * What can go wrong: a form on another site could lead away from the shop through it; only the path of the referring
 * address is used. What is no choice of ours is ignored.
 */
import { isLanguage, languageCookie } from "../../language/languages.ts";
import { isTheme, themeCookie } from "../../theme/themes.ts";

const oneYearS = 365 * 86_400;
const formMaxBytes = 1_000;

export async function POST(request: Request): Promise<Response> {
  if (Number(request.headers.get("content-length") ?? 0) > formMaxBytes) return new Response(null, { status: 413 });
  const chosen = await request.formData().catch(() => new FormData());
  const headers = new Headers({ location: pathOf(request.headers.get("referer")), "cache-control": "no-store" });
  const language = chosen.get("language");
  const theme = chosen.get("theme");
  if (isLanguage(language)) headers.append("set-cookie", cookie(languageCookie, language));
  if (isTheme(theme)) headers.append("set-cookie", cookie(themeCookie, theme));
  return new Response(null, { status: 303, headers });
}

const cookie = (name: string, value: string) => `${name}=${value}; Path=/; Max-Age=${oneYearS}; SameSite=Lax`;

function pathOf(referer: string | null): string {
  if (referer === null || !URL.canParse(referer)) return "/";
  const { pathname, search } = new URL(referer);
  return /^\/(?!\/)/.test(pathname) ? pathname + search : "/";
}
