/**
 * 高原 (plateau), drawn: the two characters belong to the mark, and not every machine has a face that knows them.
 */
export function Han() {
  return (
    <svg className="han" viewBox="0 0 44 20" aria-hidden="true" focusable="false">
      <path d="M10 0.8 V4 M2 4.4 H18 M6.2 7.2 H13.8 V10.2 H6.2 Z M3 19.4 V12.9 H17 V18 Q17 19.2 15 19 M7.2 15.2 H12.8 V18 H7.2 Z" />
      <path d="M26.4 2.2 H42.4 M28.2 2.2 V9 C28.2 13 27.6 16.4 25.4 19.2 M35.8 3.4 L34.8 5.8 M31 5.8 H40.4 V12.2 H31 Z M31 9 H40.4 M35.7 12.2 V18 Q35.7 19.4 33.8 19 M32.6 14.2 L30 17.6 M38.8 14.2 L41.6 17.6" />
    </svg>
  );
}
