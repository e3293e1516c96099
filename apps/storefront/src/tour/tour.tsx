"use client";
/**
 * A page's tour: offered in one quiet line on the first visit, begun by whoever follows a link to `#tour`.
 *
 * What can go wrong: a tour that opens by itself stands in the way, takes the focus and is waved off. So nothing opens
 * by itself: the line is part of the page and covers nothing, and the card's script is fetched when it is wanted.
 */
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { useTranslations } from "use-intl/react";
import { offeredCookie, offeredForS, startHash, type TourName } from "./tours.ts";

const TourCard = lazy(() => import("./tour-card.tsx"));

/**
 * A press while the page comes to life: the router may write the address anew without the hash before anybody here has
 * looked at it, so it is noted as soon as this script is there.
 */
let isAsked = false;
if (typeof window !== "undefined") {
  addEventListener("hashchange", () => {
    isAsked ||= location.hash === startHash;
  });
}

export function Tour({ name, offered }: { readonly name: TourName; readonly offered: boolean }) {
  const t = useTranslations("tour.offer");
  const [isOffered, setOffered] = useState(offered);
  const [isUnderWay, setUnderWay] = useState(false);
  const returnTo = useRef<Element | null>(null);

  useEffect(() => {
    // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser that we serve
    if (offered) document.cookie = `${offeredCookie(name)}=1; Path=/; Max-Age=${offeredForS}; SameSite=Lax`;
  }, [name, offered]);

  useEffect(() => {
    const beginWhereAsked = () => {
      if (!isAsked && location.hash !== startHash) return;
      isAsked = false;
      // Taken away again, so that the same link begins it once more and a reload does not.
      history.replaceState(history.state, "", location.pathname + location.search);
      returnTo.current = document.activeElement;
      setOffered(false);
      setUnderWay(true);
    };
    beginWhereAsked();
    addEventListener("hashchange", beginWhereAsked);
    return () => removeEventListener("hashchange", beginWhereAsked);
  }, []);

  const end = () => {
    setUnderWay(false);
    giveFocusBack(returnTo.current);
  };
  const decline = () => {
    setOffered(false);
    giveFocusBack(null);
  };

  return (
    <>
      {isOffered ? (
        <section className="tour-offer" aria-label={t("name")}>
          <p>{t(name)}</p>
          <a className="text-link" href={startHash}>
            {t("start")}
          </a>
          <button type="button" className="text-link" onClick={decline}>
            {t("decline")}
          </button>
        </section>
      ) : null}
      {isUnderWay ? (
        <Suspense>
          <TourCard name={name} onEnd={end} />
        </Suspense>
      ) : null}
    </>
  );
}

/** To where it was; to the page's content if that is gone. Nothing scrolls: the eye is where the tour left it. */
function giveFocusBack(to: Element | null): void {
  const isThere = to instanceof HTMLElement && to.isConnected && to !== document.body;
  (isThere ? to : document.getElementById("content"))?.focus({ preventScroll: true });
}
