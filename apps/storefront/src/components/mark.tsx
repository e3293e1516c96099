/** The shop's mark: a mountain cut flat, with a thin line where its top was. */
export function Mark() {
  return (
    <svg viewBox="0 0 36 24" aria-hidden="true" focusable="false" fill="currentColor">
      <path d="M0 24 L11 7 H25 L36 24 Z" />
      <rect x="9" y="2" width="18" height="1.6" />
    </svg>
  );
}
