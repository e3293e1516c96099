import { cookies } from "next/headers";
import { isTheme, type Theme, themeCookie } from "./themes.ts";

export async function currentTheme(): Promise<Theme> {
  const chosen = (await cookies()).get(themeCookie)?.value;
  return isTheme(chosen) ? chosen : "system";
}
