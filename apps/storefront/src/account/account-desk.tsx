"use client";
/** Who is signed in, what awaits them, and the other demo shoppers of this device. */
import type { DeviceShoppers } from "@plateau/domain/http";
import Link from "next/link";
import { useCallback, useEffect, useState } from "react";
import { useTranslations } from "use-intl/react";
import { call } from "../browser/api.ts";
import { useFigures } from "../language/words-in-browser.tsx";
import { useShopper } from "../session/shopper-context.tsx";

export interface Counts {
  readonly orders: number;
  /** Orders that wait for their payment. */
  readonly unpaid: number;
  readonly messages: number;
}

/** `counts` are undefined for a stranger. */
export function AccountDesk({ counts }: { readonly counts: Counts | undefined }) {
  const t = useTranslations("account");
  const { shopper, problem, signOut } = useShopper();
  return (
    <div className="account">
      <section aria-labelledby="mine-title">
        <h2 id="mine-title" className="account-head">
          {t("mine")}
        </h2>
        {shopper === undefined || counts === undefined ? (
          <p className="max-w-lg py-4 text-ink-soft">{t("stranger")}</p>
        ) : (
          <>
            <Places counts={counts} />
            <button type="button" className="plain-button mt-6" data-testid="sign-out" onClick={() => void signOut()}>
              {t("signOut")}
            </button>
          </>
        )}
      </section>
      <section aria-labelledby="shoppers-title">
        <h2 id="shoppers-title" className="account-head">
          {t("shoppers")}
        </h2>
        <Shoppers />
        <NewShopper />
        <p role="status" className="min-h-6 pt-2">
          {problem}
        </p>
      </section>
    </div>
  );
}

function Places({ counts }: { readonly counts: Counts }) {
  const t = useTranslations("account");
  const { count } = useFigures();
  return (
    <ul className="account-rows" data-testid="counts">
      <li>
        <Link href="/orders" prefetch={false}>
          <span>{t("orders")}</span>
          <span className="tabular">
            {counts.unpaid > 0 ? (
              <span className="text-signal-text">{t("unpaid", { count: counts.unpaid })}</span>
            ) : null}{" "}
            {count(counts.orders)}
          </span>
        </Link>
      </li>
      <li>
        <Link href="/messages" prefetch={false}>
          <span>{t("messages")}</span>
          <span className="tabular">{count(counts.messages)}</span>
        </Link>
      </li>
    </ul>
  );
}

type Listed = DeviceShoppers["shoppers"];

/** Asked by the browser: the cookie that remembers them is sent to the session routes alone. */
function Shoppers() {
  const t = useTranslations("account");
  const { shopper, become } = useShopper();
  const [listed, setListed] = useState<Listed>();
  const look = useCallback(async () => {
    const reply = await call<DeviceShoppers>("/api/session/shoppers");
    if (reply.kind === "ok") setListed(reply.body.shoppers);
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked anew whenever another shopper is signed in
  useEffect(() => void look(), [look, shopper?.userId]);
  if (listed === undefined) return <p className="account-wait text-ink-soft">{t("looking")}</p>;
  if (listed.length === 0) return <p className="account-wait text-ink-soft">{t("nobody")}</p>;
  return (
    <ul className="account-rows" data-testid="shoppers">
      {listed.map(({ userId, name }) => {
        const current = userId === shopper?.userId;
        return (
          <li key={userId}>
            <button
              type="button"
              aria-current={current ? "true" : undefined}
              aria-disabled={current}
              onClick={() => (current ? undefined : void become(userId))}
            >
              <span>
                {name} <span className="label">{userId.slice(-4)}</span>
              </span>
              <span className={current ? "text-pine-text" : "text-ink-soft"}>{current ? t("now") : t("become")}</span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}

function NewShopper() {
  const t = useTranslations("account");
  const { signingIn, signIn } = useShopper();
  const [name, setName] = useState("");
  return (
    <form
      className="new-shopper"
      onSubmit={(event) => {
        event.preventDefault();
        if (!signingIn) void signIn(name.trim() === "" ? undefined : name.trim()).then(() => setName(""));
      }}
    >
      <label className="label" htmlFor="new-shopper-name">
        {t("name")}
      </label>
      <div className="flex gap-3">
        <input
          id="new-shopper-name"
          className="field"
          value={name}
          maxLength={40}
          autoComplete="off"
          onChange={(event) => setName(event.target.value)}
        />
        <button type="submit" className="plain-button whitespace-nowrap" aria-disabled={signingIn}>
          {signingIn ? t("making") : t("make")}
        </button>
      </div>
    </form>
  );
}
