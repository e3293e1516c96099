import Link from "next/link";

export function Colophon() {
  return (
    <footer className="mt-16 border-t border-hairline">
      <div className="page flex flex-wrap items-center justify-between gap-x-8 gap-y-2 py-6 text-s text-ink-soft">
        <p>A worked example of peak shaving: everything runs, nothing is for sale.</p>
        <ul className="flex flex-wrap gap-x-6">
          <li>
            <Link className="text-link inline-flex min-h-11 items-center" href="/live" prefetch={false}>
              Watch the queue
            </Link>
          </li>
          <li>
            <a className="text-link inline-flex min-h-11 items-center" href="/api/docs">
              HTTP API
            </a>
          </li>
        </ul>
      </div>
    </footer>
  );
}
