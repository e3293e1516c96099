"use client";
/** A sale made to measure, open at once or in some seconds. */
import type { OpsSaleBody, Product, Sale } from "@plateau/domain/http";
import Link from "next/link";
import { type FormEvent, useState } from "react";
import { useTranslations } from "use-intl";
import { useFigures } from "../language/words-in-browser.tsx";
import { order, useProblemText } from "./order-answer.ts";

const fields = [
  { name: "stock", usual: 100, min: 1, max: 1_000_000 },
  { name: "price", usual: 49, min: 0, max: 1_000_000 },
  { name: "limit", usual: 1, min: 1, max: 1_000_000 },
  { name: "starts", usual: 10, min: 0, max: 86_400 },
  { name: "cost", usual: 20, min: 0, max: 10_000 },
  { name: "crowd", usual: 200, min: 0, max: 2_000 },
  { name: "pay", usual: 120, min: 1, max: 86_400 },
] as const;

export function SaleForm(props: { readonly products: readonly Product[]; readonly nowMs: number }) {
  const words = useTranslations("ops.sale");
  const figures = useFigures();
  const problemText = useProblemText();
  const [making, setMaking] = useState(false);
  const [problem, setProblem] = useState<string>();
  const [made, setMade] = useState<Sale>();
  const make = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    setMaking(true);
    const body = saleOf(new FormData(event.currentTarget), props.nowMs);
    const reply = await order<Sale>("/api/ops/sales", { method: "POST", body });
    setMaking(false);
    setProblem(problemText(reply));
    setMade(reply.kind === "ok" ? reply.body : undefined);
  };
  return (
    <section aria-labelledby="make-title">
      <div className="room-head">
        <h2 id="make-title">{words("title")}</h2>
      </div>
      <form className="sale-form" onSubmit={(event) => void make(event)}>
        <label>
          {words("product")}
          <select name="productId">
            {props.products.map(({ id, title }) => (
              <option key={id} value={id}>
                {title}
              </option>
            ))}
          </select>
        </label>
        {fields.map(({ name, usual, min, max }) => (
          <label key={name}>
            {words(name)}
            <input type="number" name={name} defaultValue={usual} min={min} max={max} step="any" required />
          </label>
        ))}
        <button type="submit" className="room-button strong" aria-disabled={making}>
          {words(making ? "making" : "make")}
        </button>
      </form>
      <p role="status" className="sale-said">
        {problem}
        {made === undefined
          ? null
          : words.rich("made", {
              title: made.title,
              units: figures.units(made.stock),
              link: (text) => (
                <Link className="text-link" href={`/sales/${made.id}`} prefetch={false}>
                  {text}
                </Link>
              ),
            })}
      </p>
    </section>
  );
}

function saleOf(form: FormData, nowMs: number): OpsSaleBody {
  const number = (name: (typeof fields)[number]["name"]) => Number(form.get(name));
  const startsInMs = Math.round(number("starts") * 1_000);
  return {
    productId: String(form.get("productId")),
    stock: number("stock"),
    priceCents: Math.round(number("price") * 100),
    perUserLimit: number("limit"),
    decisionCostMs: number("cost"),
    crowd: number("crowd"),
    paymentTimeoutMs: Math.round(number("pay") * 1_000),
    ...(startsInMs === 0 ? {} : { startsAt: new Date(nowMs + startsInMs).toISOString() }),
  };
}
