/** What to type into the encoder. */
import type { NewStreamKey, StreamDetail } from '../api/resources.ts';
import { CopyField } from '../parts/copy-field.tsx';
import { Notice } from '../parts/notice.tsx';

interface EncoderCardProps {
  readonly stream: StreamDetail;
  readonly freshKey: NewStreamKey | undefined;
  readonly onDone: () => void;
}

export function EncoderCard({ stream, freshKey, onDone }: EncoderCardProps) {
  const { rtmp_url, rtmps_url } = stream.ingest;
  return (
    <section className="card stack" aria-labelledby="encoder-heading">
      <h2 id="encoder-heading">Send to this stream</h2>
      <CopyField label="Server" value={rtmp_url} />
      {rtmps_url !== null && <CopyField label="Server, encrypted (RTMPS)" value={rtmps_url} />}
      {freshKey === undefined ? (
        <p className="hint">
          Use one of this stream's keys. A key is shown only when it is made; if it is lost, make another.
        </p>
      ) : (
        <div className="fresh-key stack">
          <CopyField label="Stream key" value={freshKey.key} secret />
          <Notice tone="warning">
            Copy the key now: it is shown only this once. Whoever has it can broadcast here.
          </Notice>
          <div className="actions">
            <button type="button" className="button" onClick={onDone}>
              I have copied it
            </button>
          </div>
        </div>
      )}
      <ObsSettings />
    </section>
  );
}

function ObsSettings() {
  return (
    <details className="obs">
      <summary>Settings for OBS</summary>
      <h3>Settings › Stream</h3>
      <dl className="settings-list">
        <dt>Service</dt>
        <dd>Custom…</dd>
        <dt>Server, Stream Key</dt>
        <dd>as above</dd>
      </dl>
      <h3>Settings › Output › Output Mode: Advanced › Streaming</h3>
      <dl className="settings-list">
        <dt>Video encoder</dt>
        <dd>x264, or H.264 of your graphics card</dd>
        <dt>Rate control</dt>
        <dd>CBR, 2500–6000 Kbps</dd>
        <dt>Keyframe interval</dt>
        <dd>2 s (not 0, which means “auto”)</dd>
        <dt>CPU usage preset</dt>
        <dd>veryfast</dd>
        <dt>Profile</dt>
        <dd>high</dd>
        <dt>Tune</dt>
        <dd>zerolatency</dd>
        <dt>Audio</dt>
        <dd>AAC, 160 Kbps, 48 kHz</dd>
      </dl>
      <p className="hint">Then press Start Streaming. The picture appears in the preview after about a second.</p>
    </details>
  );
}
