/** The mark and name of the product. */
export function Brand() {
  return (
    <span className="brand">
      <svg viewBox="0 0 32 32" aria-hidden="true">
        <rect width="32" height="32" rx="8" />
        <g fill="none" stroke="#fff" strokeWidth="2.4" strokeLinecap="round">
          <path d="M6 12.5c3.3-3 6.7-3 10 0s6.7 3 10 0" />
          <path d="M6 19.5c3.3-3 6.7-3 10 0s6.7 3 10 0" opacity=".65" />
        </g>
      </svg>
      Millrace
    </span>
  );
}
