/** How long something has been going on, counting. */
import { useEffect, useState } from 'react';
import { dateTime, runningTime } from '../format/numbers.ts';

/** `since` is an RFC 3339 time; nothing is shown while it is not known. */
export function RunningTime({ since }: { readonly since: string | null }) {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  if (since === null) return null;
  const ms = nowMs - Date.parse(since);
  return Number.isNaN(ms) ? null : (
    <time className="uptime" dateTime={since} title={`Live since ${dateTime(since)}`}>
      {runningTime(ms)}
    </time>
  );
}
