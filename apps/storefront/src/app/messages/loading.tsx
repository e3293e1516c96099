import { translator } from "../../language/server.ts";

export default async function Loading() {
  const t = await translator("messages");
  return (
    <div className="page" role="status">
      <div className="lead-in">
        <h1>{t("title")}</h1>
      </div>
      <p className="text-ink-soft">{t("fetching")}</p>
    </div>
  );
}
