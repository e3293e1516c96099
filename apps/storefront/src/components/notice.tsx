import type { ReactNode } from "react";
import { Mark } from "./mark.tsx";

/** A page that has only a message: not found, away, empty. */
export function Notice(props: { readonly title: string; readonly children: ReactNode }) {
  return (
    <div className="page">
      <div className="notice">
        <Mark />
        <h1 className="text-3xl mb-4">{props.title}</h1>
        <div className="grid gap-6 justify-items-start text-ink-soft">{props.children}</div>
      </div>
    </div>
  );
}
