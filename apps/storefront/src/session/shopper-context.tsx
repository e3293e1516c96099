"use client";
/**
 * Who is signed in: the one click that makes a demo shopper, the change to another one of this device, signing out.
 *
 * What can go wrong: another tab changes the shopper, or a page comes back from the browser's memory that still shows
 * the one before. Tabs tell each other; one that showed another shopper's things begins anew.
 */
import type { Session } from "@plateau/domain/http";
import { useRouter } from "next/navigation";
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useRef, useState } from "react";
import { useTranslations } from "use-intl/react";
import { call, type Reply } from "../browser/api.ts";
import { useSentences } from "../language/words-in-browser.tsx";
import type { Shopper } from "./shopper.ts";

interface ShopperState {
  readonly shopper: Shopper | undefined;
  readonly signingIn: boolean;
  /** Why the last sign-in failed. */
  readonly problem: string | undefined;
  /** As a new shopper. Undefined when it did not work; the reason is then in `problem`. */
  readonly signIn: (name?: string) => Promise<Shopper | undefined>;
  /** As another shopper of this device. */
  readonly become: (userId: string) => Promise<void>;
  readonly signOut: () => Promise<void>;
}

const ShopperContext = createContext<ShopperState | undefined>(undefined);
const channelName = "plateau:shopper";

export function ShopperProvider(props: { readonly initial: Shopper | undefined; readonly children: ReactNode }) {
  const router = useRouter();
  const t = useTranslations("shell");
  const sentences = useSentences();
  const [shopper, setShopper] = useState(props.initial);
  const [signingIn, setSigningIn] = useState(false);
  const [problem, setProblem] = useState<string>();
  const shown = useRef(shopper?.userId);
  shown.current = shopper?.userId;
  useEffect(() => {
    // A page from the browser's memory that shows one shopper's things must not show them to the next.
    if (shown.current !== undefined && shown.current !== props.initial?.userId) window.location.reload();
    else setShopper(props.initial);
  }, [props.initial]);
  const tell = useOtherTabs(shopper?.userId);

  const show = useCallback(
    (next: Shopper | undefined) => {
      setShopper(next);
      tell(next?.userId);
      router.refresh();
    },
    [router, tell],
  );
  const enter = useCallback(
    async (asked: Promise<Reply<Session>>): Promise<Shopper | undefined> => {
      setSigningIn(true);
      setProblem(undefined);
      const reply = await asked;
      setSigningIn(false);
      if (reply.kind !== "ok") {
        setProblem(reply.kind === "lost" ? t("unreachable") : sentences.problem(reply.code));
        return undefined;
      }
      const { userId, name } = reply.body;
      show({ userId, name });
      return { userId, name };
    },
    [show, t, sentences],
  );
  const signIn = useCallback(
    (name?: string) =>
      enter(call<Session>("/api/session", { method: "POST", body: name === undefined ? {} : { name } })),
    [enter],
  );
  const become = useCallback(
    async (userId: string) => {
      await enter(call<Session>(`/api/session/shoppers/${encodeURIComponent(userId)}`, { method: "POST" }));
    },
    [enter],
  );
  const signOut = useCallback(async () => {
    const reply = await call("/api/session", { method: "DELETE" });
    if (reply.kind === "ok") show(undefined);
    else setProblem(reply.kind === "lost" ? t("unreachable") : sentences.problem(reply.code));
  }, [show, t, sentences]);

  const state = useMemo(
    () => ({ shopper, signingIn, problem, signIn, become, signOut }),
    [shopper, signingIn, problem, signIn, become, signOut],
  );
  return <ShopperContext value={state}>{props.children}</ShopperContext>;
}

/** Gives what tells the other tabs who is signed in now. */
function useOtherTabs(userId: string | undefined): (now: string | undefined) => void {
  const router = useRouter();
  const shown = useRef(userId);
  shown.current = userId;
  const channel = useRef<BroadcastChannel | undefined>(undefined);
  useEffect(() => {
    const listening = new BroadcastChannel(channelName);
    channel.current = listening;
    listening.onmessage = ({ data }: MessageEvent<string | undefined>) => {
      if (data === shown.current) return;
      // A stranger's page goes on where it is; one that shows a shopper's things must not show them to the next.
      if (shown.current === undefined) router.refresh();
      else window.location.reload();
    };
    const onShow = (event: PageTransitionEvent) => {
      if (event.persisted) router.refresh();
    };
    window.addEventListener("pageshow", onShow);
    return () => {
      listening.close();
      window.removeEventListener("pageshow", onShow);
    };
  }, [router]);
  return useCallback((now) => channel.current?.postMessage(now), []);
}

export function useShopper(): ShopperState {
  const state = useContext(ShopperContext);
  if (state === undefined) throw new Error("useShopper stands outside ShopperProvider");
  return state;
}
