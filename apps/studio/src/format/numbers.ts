/** Figures and times as people read them. */

/** Bits per second: `2.5 Mbit/s`, `160 kbit/s`. */
export function bitrate(bps: number): string {
  if (bps >= 1_000_000) return `${(bps / 1_000_000).toFixed(bps >= 10_000_000 ? 0 : 1)} Mbit/s`;
  if (bps >= 1_000) return `${Math.round(bps / 1_000)} kbit/s`;
  return `${Math.round(bps)} bit/s`;
}

/** A size in bytes: `1.4 GB`, `820 kB`. */
export function byteSize(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(bytes >= 1e10 ? 0 : 1)} GB`;
  if (bytes >= 1e6) return `${(bytes / 1e6).toFixed(bytes >= 1e7 ? 0 : 1)} MB`;
  if (bytes >= 1e3) return `${Math.round(bytes / 1e3)} kB`;
  return `${bytes} B`;
}

/** Seconds with one decimal: `0.7 s`; from a minute on `1 min 5 s`. */
export function seconds(s: number): string {
  if (s < 60) return `${s.toFixed(1)} s`;
  return `${Math.floor(s / 60)} min ${Math.round(s % 60)} s`;
}

/** A running time: `4:05`, `1:04:05`. */
export function runningTime(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000));
  const pad = (n: number) => String(n).padStart(2, '0');
  const h = Math.floor(total / 3600);
  const m = Math.floor((total % 3600) / 60);
  return h > 0 ? `${h}:${pad(m)}:${pad(total % 60)}` : `${m}:${pad(total % 60)}`;
}

/** How long ago or until, from an RFC 3339 time: `just now`, `5 min ago`, `in 2 h`, then the date. */
export function relativeTime(time: string, nowMs: number): string {
  const at = Date.parse(time);
  if (Number.isNaN(at)) return time;
  const away = Math.abs(nowMs - at);
  const say = (words: string) => (at <= nowMs ? `${words} ago` : `in ${words}`);
  if (away < 45_000) return at <= nowMs ? 'just now' : 'in a moment';
  if (away < 45 * 60_000) return say(`${Math.round(away / 60_000)} min`);
  if (away < 22 * 3_600_000) return say(`${Math.round(away / 3_600_000)} h`);
  if (away < 14 * 86_400_000) {
    const days = Math.max(1, Math.round(away / 86_400_000));
    return say(`${days} day${days === 1 ? '' : 's'}`);
  }
  return dateTime(time);
}

/** A day and time in the reader's language: `21 Nov 2026, 22:17`. */
export function dateTime(time: string): string {
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) return time;
  return at.toLocaleString(undefined, {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
  });
}
