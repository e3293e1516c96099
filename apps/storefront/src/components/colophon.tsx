import Link from "next/link";
import { translator } from "../language/server.ts";
import { currentTheme } from "../theme/server.ts";
import { ThemeSwitch } from "../theme/theme-switch.tsx";
import { ShowMeAround } from "../tour/show-me-around.tsx";

export async function Colophon() {
  const [t, theme] = await Promise.all([translator("shell"), currentTheme()]);
  return (
    <footer className="mt-16 border-t border-hairline">
      <div className="page flex flex-wrap items-center justify-between gap-x-8 gap-y-2 py-6 text-s text-ink-soft">
        <p>{t("colophon.about")}</p>
        <ThemeSwitch initial={theme} />
        <ul className="flex flex-wrap gap-x-6">
          <li>
            <ShowMeAround />
          </li>
          <li>
            <Link className="text-link inline-flex min-h-11 items-center" href="/live" prefetch={false}>
              {t("colophon.queue")}
            </Link>
          </li>
          <li>
            <a className="text-link inline-flex min-h-11 items-center" href="/api/docs">
              {t("colophon.api")}
            </a>
          </li>
        </ul>
      </div>
    </footer>
  );
}
