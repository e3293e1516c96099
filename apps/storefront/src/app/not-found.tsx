import Link from "next/link";
import { Notice } from "../components/notice.tsx";
import { translator } from "../language/server.ts";

export async function generateMetadata() {
  return { title: (await translator("shell"))("nothing.title") };
}

export default async function NotFound() {
  const t = await translator("shell");
  return (
    <Notice title={t("nothing.title")}>
      <p>{t("nothing.text")}</p>
      <Link href="/" prefetch={false} className="plain-button">
        {t("nothing.back")}
      </Link>
    </Notice>
  );
}
