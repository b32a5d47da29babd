/** Values of attribute lists (rfc8216bis 4.2). */

/** A decimal-floating-point with at most `digits` decimals and no exponent. */
export function decimal(value: number, digits = 5): string {
  const text = value.toFixed(digits);
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** `value` rounded up to 5 decimals, so that what it bounds stays within it after rounding. */
export function roundUp5(value: number): number {
  return Math.ceil(value * 1e5 - 1e-4) / 1e5;
}

/** A quoted-string. Quotes and line ends cannot be written in one: having them here is a bug of the caller. */
export function quoted(text: string): string {
  if (/["\r\n]/.test(text)) throw new Error(`a quoted-string cannot hold quotes or line ends: ${JSON.stringify(text)}`);
  return `"${text}"`;
}

/** `A=1,B=2` from the pairs that have a value. */
export function attributeList(pairs: readonly (readonly [name: string, value: string | number | undefined])[]): string {
  return pairs
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
}
