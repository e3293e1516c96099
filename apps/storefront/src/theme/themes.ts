/** Light, dark, or as the system has it. What was chosen by hand is kept in a cookie, so that the first view has it. */
export const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

export const themeCookie = "theme";

export const isTheme = (text: unknown): text is Theme => themes.some((theme) => theme === text);
