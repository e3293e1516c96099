"use client";
/**
 * One step of a tour at a time, beside what it explains: a card on a wide screen, a sheet at the foot of a narrow one.
 *
 * Promises: the page stays usable below it (it is no modal dialog); arrow keys, Enter and Escape do all that the buttons
 * do, while the focus is in it; it moves along when the page does, and never lies on what it explains.
 * What can go wrong: what it points at is not there, or is drawn anew under way; it is therefore looked up each time.
 */
import Link from "next/link";
import { type KeyboardEvent, useEffect, useId, useLayoutEffect, useRef, useState } from "react";
import { createPortal } from "react-dom";
import { useTranslations } from "use-intl/react";
import { type Box, placeBeside, placeInCorner, type Side } from "./place.ts";
import { sideOf, stepSelector, type TourName, tours } from "./tours.ts";

/** As in tour.css. */
const narrow = "(max-width: 55.99rem)";
const hereMark = "data-tour-here";

export default function TourCard({ name, onEnd }: { readonly name: TourName; readonly onEnd: () => void }) {
  const t = useTranslations("tour");
  const id = useId();
  const [at, setAt] = useState(0);
  const steps = tours[name];
  const step = steps[at] ?? steps[0];
  const card = useRef<HTMLDialogElement>(null);
  const forth = useRef<HTMLButtonElement>(null);
  usePlace(card, step);
  useEffect(() => forth.current?.focus({ preventScroll: true }), []);

  const isLast = at === steps.length - 1;
  const goForth = () => (isLast ? onEnd() : setAt(at + 1));
  const goBack = () => setAt(Math.max(0, at - 1));
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Escape") onEnd();
    else if (event.key === "ArrowRight" && !isLast) goForth();
    else if (event.key === "ArrowLeft") goBack();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const words = `${name}.${step}` as "shop.peak";

  return createPortal(
    <dialog
      ref={card}
      className="tour-card"
      aria-labelledby={`${id}-title`}
      aria-describedby={`${id}-text`}
      onKeyDown={onKey}
    >
      <div aria-live="polite" key={step} className="tour-step">
        <p className="label tabular">{t("card.step", { step: at + 1, count: steps.length })}</p>
        <h2 id={`${id}-title`}>{t(`${words}.title`)}</h2>
        <p id={`${id}-text`}>{t(`${words}.text`)}</p>
      </div>
      {step === "live" ? (
        <Link className="text-link tour-go" href="/ops" prefetch={false}>
          {t("shop.live.go")}
        </Link>
      ) : null}
      <div className="tour-acts">
        <button type="button" className="text-link" onClick={onEnd}>
          {t("card.end")}
        </button>
        <span className="grow" />
        <button type="button" className="plain-button" aria-disabled={at === 0} onClick={goBack}>
          {t("card.back")}
        </button>
        <button ref={forth} type="button" className="plain-button strong" onClick={goForth}>
          {t(isLast ? "card.done" : "card.next")}
        </button>
      </div>
      <p className="sr-only">{t("card.keys")}</p>
    </dialog>,
    document.body,
  );
}

/** Brings what a step explains into view, marks it, and keeps the card beside it. */
function usePlace(card: React.RefObject<HTMLDialogElement | null>, step: string): void {
  useLayoutEffect(() => {
    const dialog = card.current;
    if (dialog === null) return;
    // Not shown yet at the first step, and what is not shown has no size.
    if (!dialog.open) dialog.show();
    const find = () => document.querySelector(stepSelector(step));
    bringIntoView(find());
    const place = () => {
      const anchor = find();
      anchor?.setAttribute(hereMark, "");
      standBeside(dialog, anchor, sideOf(step));
    };
    place();
    const watch = new ResizeObserver(place);
    watch.observe(document.body);
    watch.observe(dialog);
    addEventListener("resize", place);
    return () => {
      watch.disconnect();
      removeEventListener("resize", place);
      for (const marked of document.querySelectorAll(`[${hereMark}]`)) marked.removeAttribute(hereMark);
    };
  }, [card, step]);
}

/** At once: a page that rolls by is no help, and is unwelcome to those who asked for less motion. */
function bringIntoView(anchor: Element | null): void {
  if (anchor === null) return;
  const { height } = anchor.getBoundingClientRect();
  anchor.scrollIntoView({ block: height < innerHeight / 2 ? "center" : "start", behavior: "instant" });
}

function standBeside(dialog: HTMLDialogElement, anchor: Element | null, preferred: Side): void {
  if (matchMedia(narrow).matches) {
    dialog.style.removeProperty("left");
    dialog.style.removeProperty("top");
    return;
  }
  const { documentElement: page } = document;
  const view: Box = { left: scrollX, top: scrollY, width: page.clientWidth, height: page.clientHeight };
  const size = { width: dialog.offsetWidth, height: dialog.offsetHeight };
  const corner = anchor === null ? placeInCorner(size, view) : placeBeside(inDocument(anchor), size, view, preferred);
  dialog.style.left = `${Math.round(corner.left)}px`;
  dialog.style.top = `${Math.round(corner.top)}px`;
}

function inDocument(anchor: Element): Box {
  const { left, top, width, height } = anchor.getBoundingClientRect();
  return { left: left + scrollX, top: top + scrollY, width, height };
}
