"use client";
import type { Sale } from "@plateau/domain/http";
import { useRouter } from "next/navigation";
import { useState } from "react";
import { useTranslations } from "use-intl/react";
import { call } from "../browser/api.ts";
import { useSentences } from "../language/words-in-browser.tsx";
import { useShopper } from "../session/shopper-context.tsx";

/** "Try again with a crowd": a new sale of the same thing, opening in a few seconds, with simulated shoppers. */
export function CrowdButton({ saleId }: { readonly saleId: string }) {
  const router = useRouter();
  const t = useTranslations("sale.crowd");
  const shell = useTranslations("shell");
  const sentences = useSentences();
  const { shopper, signIn } = useShopper();
  const [opening, setOpening] = useState(false);
  const [problem, setProblem] = useState<string>();

  const replay = async () => {
    if (opening) return;
    setOpening(true);
    setProblem(undefined);
    if ((shopper ?? (await signIn())) === undefined) {
      setOpening(false);
      setProblem(shell("signIn.failed"));
      return;
    }
    const reply = await call<Sale>(`/api/sales/${encodeURIComponent(saleId)}/replay`, { method: "POST", body: {} });
    if (reply.kind === "ok" && reply.body.id === saleId) {
      setOpening(false);
      setProblem(t("here"));
      return;
    }
    if (reply.kind === "ok") {
      router.push(`/sales/${encodeURIComponent(reply.body.id)}`);
      return;
    }
    setOpening(false);
    setProblem(reply.kind === "lost" ? shell("unreachable") : sentences.problem(reply.code));
  };

  return (
    <div className="grid gap-2 justify-items-start">
      <button type="button" className="plain-button" aria-disabled={opening} onClick={() => void replay()}>
        {opening ? t("busy") : t("act")}
      </button>
      <p className="label min-h-10" role="status">
        {problem ?? t("note")}
      </p>
    </div>
  );
}
