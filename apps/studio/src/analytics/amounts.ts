/** Amounts of analytics as people read them, each with its unit. Pure. */
import { assertNever } from '@millrace/result';

/** What a number counts. */
export type Amount = 'count' | 'rate-per-min' | 'seconds' | 'milliseconds' | 'percent' | 'kbps';

/** The text for "nothing was measured". */
export const unmeasured = '–';

/** `1,204`, `2 h 5 min`, `850 ms`, `1.42 s`, `0.8 %`, `2.5 Mbit/s`. */
export function amountText(value: number | null, amount: Amount): string {
  if (value === null) return unmeasured;
  switch (amount) {
    case 'count':
      return Math.round(value).toLocaleString('en');
    case 'rate-per-min':
      return `${digits(value)} / min`;
    case 'seconds':
      return durationText(value);
    case 'milliseconds':
      return value < 999.5 ? `${Math.round(value)} ms` : `${digits(value / 1000)} s`;
    case 'percent':
      return `${digits(value)} %`;
    case 'kbps':
      return value < 999.5 ? `${Math.round(value)} kbit/s` : `${digits(value / 1000)} Mbit/s`;
    default:
      return assertNever(amount);
  }
}

/** A length of time in its two largest units: `45 s`, `12 min`, `2 h 5 min`, `3 d 4 h`. */
export function durationText(s: number): string {
  const total = Math.max(0, Math.round(s));
  if (total < 60) return `${total} s`;
  const min = Math.floor(total / 60);
  if (min < 60) return two(min, 'min', min < 10 ? total % 60 : 0, 's');
  const h = Math.floor(min / 60);
  if (h < 48) return two(h, 'h', min % 60, 'min');
  return two(Math.floor(h / 24), 'd', h % 24, 'h');
}

function two(large: number, largeUnit: string, small: number, smallUnit: string): string {
  const first = `${large.toLocaleString('en')} ${largeUnit}`;
  return small === 0 ? first : `${first} ${small} ${smallUnit}`;
}

/** About three digits, without zeros that say nothing: 0, 0.04, 1.25, 12.5, 125. */
function digits(value: number): string {
  const size = Math.abs(value);
  const places = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return Number(value.toFixed(places)).toLocaleString('en');
}

/** Steps of an axis: whole ones for counts, those of a clock for lengths of time; else the decimal ones of the chart. */
export function axisSteps(amount: Amount): readonly number[] | undefined {
  if (amount === 'count') return decimalSteps;
  if (amount === 'seconds') return clockSteps;
  return undefined;
}

const decimalSteps = Array.from({ length: 9 }, (_, power) => [1, 2, 5].map((n) => n * 10 ** power)).flat();
const minute = 60;
const hour = 3_600;
const day = 86_400;
const clockSteps = [
  ...[1, 2, 5, 10, 20, 30],
  ...[1, 2, 5, 10, 20, 30].map((n) => n * minute),
  ...[1, 2, 3, 6, 12].map((n) => n * hour),
  ...decimalSteps.map((n) => n * day),
];

/** The top of an axis that starts at zero: room above the highest value, and never so low that noise looks like news. */
export function axisTop(highest: number | null | undefined, amount: Amount): number {
  const floor: Readonly<Record<Amount, number>> = {
    count: 4,
    'rate-per-min': 0.5,
    seconds: 60,
    milliseconds: 500,
    percent: 2,
    kbps: 500,
  };
  const top = Math.max(floor[amount], (highest ?? 0) * 1.1);
  return amount === 'percent' ? Math.min(top, 100) : top;
}
