/** The SVG path of a sparkline: newest value at the right edge, scaled from zero to the largest value. Pure. */
export function sparklinePath(
  values: readonly number[],
  span: number,
  size: { readonly width: number; readonly height: number },
): string {
  const shown = values.slice(-span);
  if (shown.length < 2) return '';
  const top = Math.max(...shown, Number.MIN_VALUE);
  const step = size.width / (span - 1);
  const x0 = size.width - (shown.length - 1) * step;
  // Two pixels above and one below, so that the line's width is not cut off.
  const y = (value: number) => size.height - 1 - (Math.max(0, value) / top) * (size.height - 3);
  return shown.map((value, i) => `${i === 0 ? 'M' : 'L'} ${round(x0 + i * step)} ${round(y(value))}`).join(' ');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
