/** The latency readout of a playback, for React. */
import { useEffect, useState } from 'react';
import type { Playback } from './playback.ts';

export interface LatencyReading {
  /** Seconds to the live edge, to a tenth; undefined while unknown. */
  readonly latencyS: number | undefined;
  readonly behind: boolean;
}

const unknown: LatencyReading = { latencyS: undefined, behind: false };

/** Reads the playback twice a second. */
export function useLatency(playback: () => Playback | undefined): LatencyReading {
  const [reading, setReading] = useState(unknown);
  useEffect(() => {
    const read = () => {
      const current = playback();
      const exact = current?.latencyS();
      const latencyS = exact === undefined ? undefined : Math.round(exact * 10) / 10;
      const behind = current?.behind() ?? false;
      setReading((before) =>
        before.latencyS === latencyS && before.behind === behind ? before : { latencyS, behind },
      );
    };
    read();
    const timer = setInterval(read, 500);
    return () => clearInterval(timer);
  }, [playback]);
  return reading;
}
