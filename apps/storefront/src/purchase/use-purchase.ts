"use client";
/**
 * The shopper's purchase in one sale, as the page shows it: finds what is already there, submits, follows.
 *
 * What can go wrong: a reload in the middle of a try (the kept key is sent again), a second tab (it hears of the
 * try and looks the purchase up), signed out at the click or in between (signs in once, then goes on).
 */
import type { Purchase } from "@plateau/domain/http";
import { useCallback, useEffect, useRef, useState } from "react";
import { call, type Reply } from "../browser/api.ts";
import { useShopper } from "../session/shopper-context.tsx";
import { type Following, follow, isFinal, newer } from "./follow.ts";
import { purchaseToShow } from "./purchase-to-show.ts";
import { submit, type View } from "./submit.ts";
import { createTries, type Tries, triesName } from "./tries.ts";

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const waitForNetwork = (ms: number) =>
  new Promise<void>((resolve) => {
    const go = () => {
      clearTimeout(timer);
      window.removeEventListener("online", go);
      resolve();
    };
    const timer = setTimeout(go, ms);
    window.addEventListener("online", go);
  });
/** The gateway holds the call this long; after it the queue is shown. */
const heldForS = 1;
/** Another tab stores its key just before it sends: the purchase may not be there at the first look. */
const lookAgainAfterMs = 1_000;

/** 128 random bits; `randomUUID` is missing where the shop is served over plain HTTP to another machine. */
const newKey = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

const ownPurchases = (saleId: string) =>
  call<{ purchases: Purchase[] }>(`/api/sales/${encodeURIComponent(saleId)}/purchases`);

function triesOf(userId: string, saleId: string): Tries {
  let storage: Storage | undefined;
  try {
    storage = window.localStorage;
  } catch {
    storage = undefined;
  }
  return createTries({ userId, saleId }, { storage, nowMs: () => Date.now(), newKey });
}

const send = (saleId: string, key: string): Promise<Reply<Purchase>> =>
  call<Purchase>(`/api/sales/${encodeURIComponent(saleId)}/purchases`, {
    method: "POST",
    body: {},
    headers: { "idempotency-key": key, prefer: `wait=${heldForS}` },
  });

export interface PurchaseOfSale {
  readonly view: View;
  readonly buy: () => void;
}

export function usePurchase(saleId: string, initial: Purchase | undefined): PurchaseOfSale {
  const { shopper, signIn } = useShopper();
  const userId = shopper?.userId;
  const [view, setView] = useState<View>(
    initial === undefined ? { kind: "idle" } : { kind: "known", purchase: initial },
  );
  const running = useRef(false);
  const watched = useFollowed(view, setView, userId, saleId);

  const run = useCallback(
    async (asUser: string | undefined) => {
      if (running.current) return;
      running.current = true;
      try {
        const user = asUser ?? (await signIn())?.userId;
        if (user === undefined) return;
        const tries = triesOf(user, saleId);
        const deps = {
          send: (key: string) => send(saleId, key),
          wait,
          waitForNetwork,
          random: Math.random,
          show: setView,
        };
        const stands = await submit({ ...deps, tries });
        if (stands.kind === "known" && stands.purchase.state !== "queued") tries.end();
        if (stands.kind !== "refused" || stands.code !== "unauthenticated") return;
        const again = await signIn();
        if (again !== undefined) await submit({ ...deps, tries: triesOf(again.userId, saleId) });
      } finally {
        running.current = false;
      }
    },
    [saleId, signIn],
  );

  useEffect(() => {
    // An ended purchase may be an earlier one; asking again with the kept key finds what became of the try.
    if (userId === undefined || (initial !== undefined && !isFinal(initial))) return;
    if (triesOf(userId, saleId).unfinished() !== undefined) void run(userId);
  }, [userId, saleId, initial, run]);
  useEffect(() => {
    if (view.kind !== "stuck") return;
    const again = () => void run(userId);
    window.addEventListener("online", again);
    return () => window.removeEventListener("online", again);
  }, [view.kind, run, userId]);
  useOtherTabs(userId, saleId, watched.hear);

  return { view, buy: useCallback(() => void run(userId), [run, userId]) };
}

/** Follows the purchase that is shown while it is under way. */
function useFollowed(
  view: View,
  setView: (next: View | ((before: View) => View)) => void,
  userId: string | undefined,
  saleId: string,
) {
  const following = useRef<Following | undefined>(undefined);
  const purchase = view.kind === "known" ? view.purchase : undefined;
  const followedId = purchase !== undefined && !isFinal(purchase) ? purchase.id : undefined;

  useEffect(() => {
    if (followedId === undefined) return;
    const address = `/api/purchases/${encodeURIComponent(followedId)}` as const;
    const current = follow({
      openEvents: () => (typeof EventSource === "undefined" ? undefined : new EventSource(`${address}/events`)),
      ask: () => call<Purchase>(address),
      wait,
      show(heard) {
        if (heard.state !== "queued" && userId !== undefined) triesOf(userId, saleId).end();
        setView({ kind: "known", purchase: heard });
      },
    });
    following.current = current;
    const wake = () => {
      if (document.visibilityState === "visible") current.refresh();
    };
    document.addEventListener("visibilitychange", wake);
    window.addEventListener("pageshow", wake);
    return () => {
      current.stop();
      document.removeEventListener("visibilitychange", wake);
      window.removeEventListener("pageshow", wake);
    };
  }, [followedId, setView, userId, saleId]);

  const hear = useCallback(
    (heard: Purchase) =>
      setView((before) =>
        before.kind === "submitting" || before.kind === "lost" || !news(before, heard)
          ? before
          : { kind: "known", purchase: heard },
      ),
    [setView],
  );
  return { hear };
}

/** Heard late, a purchase must not go back in time, nor an ended one hide why a later try was refused. */
function news(before: View, heard: Purchase): boolean {
  if (before.kind === "known") return newer(before.purchase, heard);
  return before.kind === "idle" || !isFinal(heard);
}

/** A try that begins or ends in another tab is looked up here. */
function useOtherTabs(userId: string | undefined, saleId: string, hear: (purchase: Purchase) => void) {
  useEffect(() => {
    if (userId === undefined) return;
    let stopped = false;
    const lookUp = async (triesLeft: number): Promise<void> => {
      const reply = await ownPurchases(saleId);
      if (stopped) return;
      const found = reply.kind === "ok" ? purchaseToShow(reply.body.purchases) : undefined;
      if (found !== undefined) return hear(found);
      if (triesLeft === 0) return;
      await wait(lookAgainAfterMs);
      if (!stopped) await lookUp(triesLeft - 1);
    };
    const onStorage = (event: StorageEvent) => {
      if (event.key === triesName({ userId, saleId })) void lookUp(2);
    };
    const onShow = (event: PageTransitionEvent) => {
      if (event.persisted) void lookUp(0);
    };
    const onWake = () => {
      if (document.visibilityState === "visible") void lookUp(0);
    };
    window.addEventListener("storage", onStorage);
    window.addEventListener("pageshow", onShow);
    document.addEventListener("visibilitychange", onWake);
    window.addEventListener("online", onWake);
    return () => {
      stopped = true;
      document.removeEventListener("visibilitychange", onWake);
      window.removeEventListener("online", onWake);
      window.removeEventListener("storage", onStorage);
      window.removeEventListener("pageshow", onShow);
    };
  }, [userId, saleId, hear]);
}
