/** What the encoder sends, once a second, and what is wrong with it in plain words. */
import { useEffect, useState } from 'react';
import type { Health, StreamDetail } from '../api/resources.ts';
import { codecName } from '../format/codec-name.ts';
import { bitrate, seconds } from '../format/numbers.ts';
import { Notice } from '../parts/notice.tsx';
import { Sparkline } from '../parts/sparkline.tsx';
import { appendSample, sampleSpan } from './health-history.ts';

export function HealthCard({ stream }: { readonly stream: StreamDetail }) {
  const { health } = stream;
  const history = useHealthHistory(stream);
  return (
    <section className="card stack" aria-labelledby="health-heading">
      <h2 id="health-heading">Ingest health</h2>
      {health === null ? (
        <p className="hint">Waiting for the first measurement.</p>
      ) : (
        <>
          <Warnings health={health} />
          <div className="chart">
            <div className="figure">
              <span className="figure-label">Video</span>
              <span className="figure-value">{bitrate(health.video_bps)}</span>
            </div>
            <Sparkline values={history} span={sampleSpan} label="Video bitrate of the last minute" />
          </div>
          <Figures health={health} />
        </>
      )}
    </section>
  );
}

function Warnings({ health }: { readonly health: Health }) {
  if (health.warnings.length === 0) {
    return <Notice tone="good">The encoder's signal is good.</Notice>;
  }
  return health.warnings.map((warning) => (
    <Notice key={warning.code} tone="warning">
      {capitalised(warning.message)}
    </Notice>
  ));
}

function Figures({ health }: { readonly health: Health }) {
  const { width, height, keyframe_interval_s, av_drift_ms } = health;
  const picture = width && height ? `${width} × ${height}` : '–';
  const codecs = [health.video_codec, health.audio_codec].filter((codec) => codec !== undefined).map(codecName);
  const figures = [
    ['Frame rate', `${health.frames_per_second.toFixed(health.frames_per_second % 1 === 0 ? 0 : 1)} fps`],
    ['Keyframe interval', keyframe_interval_s === undefined ? '–' : seconds(keyframe_interval_s)],
    ['Audio', bitrate(health.audio_bps)],
    ['A/V drift', av_drift_ms === undefined ? '–' : `${Math.round(av_drift_ms)} ms`],
    ['Timestamp gaps', String(health.timestamp_gaps)],
    ['Picture', picture],
    ['Codecs', codecs.length === 0 ? '–' : codecs.join(', ')],
  ] as const;
  return (
    <dl className="figures">
      {figures.map(([label, value]) => (
        <div key={label} className="figure">
          <dt className="figure-label">{label}</dt>
          <dd className="figure-value">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Video bitrates of the last minute, from the samples as they came. */
function useHealthHistory(stream: StreamDetail): readonly number[] {
  const [history, setHistory] = useState<readonly { readonly atMs: number; readonly bps: number }[]>([]);
  const { health } = stream;
  useEffect(() => {
    setHistory((before) =>
      health === null ? [] : appendSample(before, { atMs: health.at_ms, bps: health.video_bps }),
    );
  }, [health]);
  return history.map((sample) => sample.bps);
}

function capitalised(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
