/** What is in the original. */
import { codecName } from '../format/codec-name.ts';
import { bitrate, byteSize, runningTime } from '../format/numbers.ts';
import type { MediaFacts } from './video-resources.ts';

export function MediaCard({ media }: { readonly media: MediaFacts }) {
  const { video, audio } = media;
  const figures = [
    ['Duration', runningTime(media.duration_ms)],
    ['Size', byteSize(media.size_bytes)],
    ['Container', media.container],
    ...(video === null
      ? [['Picture', 'none'] as const]
      : ([
          ['Picture', `${video.width} × ${video.height}`],
          ['Frame rate', `${Number(video.frames_per_second.toFixed(2))} fps`],
          ['Video', withRate(video)],
        ] as const)),
    ...(audio === null
      ? [['Sound', 'none'] as const]
      : ([
          ['Sound', withRate(audio)],
          ['Channels', `${audio.channels} at ${audio.sample_rate / 1000} kHz`],
        ] as const)),
  ] as const;
  return (
    <section className="card stack" aria-labelledby="media-heading">
      <h2 id="media-heading">The original</h2>
      <dl className="figures">
        {figures.map(([label, value]) => (
          <div key={label} className="figure">
            <dt className="figure-label">{label}</dt>
            <dd className="figure-value">{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function withRate({ codec, bits_per_second: rate }: { codec: string; bits_per_second: number | null }): string {
  return rate === null ? codecName(codec) : `${codecName(codec)}, ${bitrate(rate)}`;
}
