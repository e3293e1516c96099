"use client";
import { Notice } from "../components/notice.tsx";

export default function PageError({ reset }: { readonly reset: () => void }) {
  return (
    <Notice title="The shop did not answer">
      <p>
        This page could not be put together, most likely because the shop behind it is starting or stopping. Nothing was
        charged, and nothing you did is lost.
      </p>
      <button type="button" className="plain-button" onClick={reset}>
        Try again
      </button>
    </Notice>
  );
}
