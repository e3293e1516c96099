"use client";
import { useRouter } from "next/navigation";
import { type FormEvent, useState } from "react";
import { useTranslations } from "use-intl";
import { call } from "../browser/api.ts";

/** Stands instead of the control room where there is no admin cookie. */
export function AdminSignIn() {
  const words = useTranslations("ops.signIn");
  const router = useRouter();
  const [entering, setEntering] = useState(false);
  const [problem, setProblem] = useState<string>();
  const enter = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const token = String(new FormData(event.currentTarget).get("token"));
    setEntering(true);
    const reply = await call("/api/ops/session", { method: "POST", body: { token } });
    setEntering(false);
    if (reply.kind === "ok") return router.refresh();
    setProblem(words(reply.kind === "problem" ? "wrong" : "lost"));
  };
  return (
    <div className="page admin-sign-in">
      <h1>{words("title")}</h1>
      <p className="text-ink-soft">{words("why")}</p>
      <form onSubmit={(event) => void enter(event)}>
        <label htmlFor="admin-token">{words("token")}</label>
        <input id="admin-token" name="token" type="password" autoComplete="current-password" maxLength={200} required />
        <button type="submit" className="plain-button" aria-disabled={entering}>
          {words(entering ? "entering" : "enter")}
        </button>
        <p role="alert">{problem}</p>
      </form>
    </div>
  );
}
