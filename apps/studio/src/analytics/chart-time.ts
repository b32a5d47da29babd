/** Times on charts, in the reader's zone. */

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });

/** `14:05`; with its day where the range is longer than one. */
export function pointTime(s: number, withDay: boolean): string {
  const date = new Date(s * 1000);
  return withDay ? `${day.format(date)}, ${clock.format(date)}` : clock.format(date);
}

/** Labels of a time axis: the hour, and the day where one begins. */
export function axisTimes(splits: readonly number[], stepS: number): string[] {
  return splits.map((s) => {
    const date = new Date(s * 1000);
    const midnight = date.getHours() === 0 && date.getMinutes() === 0;
    return midnight || stepS >= 86_400 ? day.format(date) : clock.format(date);
  });
}

/** The same instant in UTC, to be compared with logs: `2026-11-22 01:30:00 UTC`. */
export function utcTime(time: string): string {
  const at = new Date(time);
  return Number.isNaN(at.getTime()) ? time : `${at.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
