"use client";
/** Who is signed in, and the one click that signs a demo shopper in. */
import type { Session } from "@plateau/domain/http";
import { useRouter } from "next/navigation";
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from "react";
import { useTranslations } from "use-intl/react";
import { call } from "../browser/api.ts";
import { useSentences } from "../language/words-in-browser.tsx";
import type { Shopper } from "./shopper.ts";

interface ShopperState {
  readonly shopper: Shopper | undefined;
  readonly signingIn: boolean;
  /** Why the last sign-in failed. */
  readonly problem: string | undefined;
  /** Undefined when it did not work; the reason is then in `problem`. */
  readonly signIn: () => Promise<Shopper | undefined>;
}

const ShopperContext = createContext<ShopperState | undefined>(undefined);

export function ShopperProvider(props: { readonly initial: Shopper | undefined; readonly children: ReactNode }) {
  const router = useRouter();
  const t = useTranslations("shell");
  const sentences = useSentences();
  const [shopper, setShopper] = useState(props.initial);
  const [signingIn, setSigningIn] = useState(false);
  const [problem, setProblem] = useState<string>();
  useEffect(() => setShopper(props.initial), [props.initial]);

  const signIn = useCallback(async () => {
    setSigningIn(true);
    setProblem(undefined);
    const reply = await call<Session>("/api/session", { method: "POST", body: {} });
    setSigningIn(false);
    if (reply.kind !== "ok") {
      setProblem(reply.kind === "lost" ? t("unreachable") : sentences.problem(reply.code));
      return undefined;
    }
    const { userId, name } = reply.body;
    setShopper({ userId, name });
    router.refresh();
    return { userId, name };
  }, [router, t, sentences]);

  const state = useMemo(() => ({ shopper, signingIn, problem, signIn }), [shopper, signingIn, problem, signIn]);
  return <ShopperContext value={state}>{props.children}</ShopperContext>;
}

export function useShopper(): ShopperState {
  const state = useContext(ShopperContext);
  if (state === undefined) throw new Error("useShopper stands outside ShopperProvider");
  return state;
}
