"use client";
import type { Sale } from "@plateau/domain/http";
import { useRouter } from "next/navigation";
import { useState } from "react";
import { call } from "../browser/api.ts";
import { useShopper } from "../session/shopper-context.tsx";
import { problemSentence } from "../text/problem-sentences.ts";

/** "Try again with a crowd": a new sale of the same thing, opening in a few seconds, with simulated shoppers. */
export function CrowdButton({ saleId }: { readonly saleId: string }) {
  const router = useRouter();
  const { shopper, signIn } = useShopper();
  const [opening, setOpening] = useState(false);
  const [problem, setProblem] = useState<string>();

  const replay = async () => {
    if (opening) return;
    setOpening(true);
    setProblem(undefined);
    if ((shopper ?? (await signIn())) === undefined) {
      setOpening(false);
      setProblem("Signing in did not work. Try again in a moment.");
      return;
    }
    const reply = await call<Sale>(`/api/sales/${encodeURIComponent(saleId)}/replay`, { method: "POST", body: {} });
    if (reply.kind === "ok" && reply.body.id === saleId) {
      setOpening(false);
      setProblem("The crowd is already here: this is its sale.");
      return;
    }
    if (reply.kind === "ok") {
      router.push(`/sales/${encodeURIComponent(reply.body.id)}`);
      return;
    }
    setOpening(false);
    setProblem(reply.kind === "lost" ? "The shop cannot be reached. Try again." : problemSentence(reply.code));
  };

  return (
    <div className="grid gap-2 justify-items-start">
      <button type="button" className="plain-button" aria-disabled={opening} onClick={() => void replay()}>
        {opening ? "Opening a new sale" : "Try again with a crowd"}
      </button>
      <p className="label min-h-10" role="status">
        {problem ?? "The same thing in a new sale that opens in some 5 s, with simulated shoppers beside you."}
      </p>
    </div>
  );
}
