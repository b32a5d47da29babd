/** Title, visibility and latency of an existing stream, and its end. */
import { useEffect, useState } from 'react';
import type { StreamDetail, StreamDraft } from '../api/resources.ts';
import { ConfirmButton } from '../parts/confirm-button.tsx';
import { ErrorNotice } from '../parts/notice.tsx';
import { navigate } from '../routing/router.tsx';
import { useStudio } from '../session/context.tsx';
import { StreamForm } from './stream-form.tsx';
import { useAction } from './use-call.ts';

interface SettingsCardProps {
  readonly stream: StreamDetail;
  readonly onChanged: () => void;
}

export function SettingsCard({ stream, onChanged }: SettingsCardProps) {
  const { api } = useStudio();
  const { busy, error, run } = useAction();
  const [saved, setSaved] = useState(false);
  useEffect(() => {
    if (!saved) return;
    const timer = setTimeout(() => setSaved(false), 3_000);
    return () => clearTimeout(timer);
  }, [saved]);

  const save = async ({ title, visibility, latency_mode }: StreamDraft) => {
    const updated = await run(() => api.updateStream(stream.id, { title, visibility, latency_mode }));
    if (updated === undefined) return;
    setSaved(true);
    onChanged();
  };
  const remove = async () => {
    const answer = await api.deleteStream(stream.id);
    if (!answer.ok) return answer.error;
    navigate({ kind: 'streams' }, { replace: true });
    return undefined;
  };

  return (
    <section className="card stack" aria-labelledby="settings-heading">
      <h2 id="settings-heading">Settings</h2>
      <ErrorNotice error={error} />
      {/* A change made elsewhere starts the form anew. */}
      <StreamForm
        key={stream.updated_at}
        initial={{ title: stream.title, visibility: stream.visibility, latency_mode: stream.latency_mode }}
        submit="Save"
        busy={busy}
        onSubmit={(draft) => void save(draft)}
      />
      <p className="hint" role="status">
        {saved ? 'Saved.' : stream.state === 'idle' ? '' : 'A new latency mode takes effect with the next broadcast.'}
      </p>
      <div className="danger-zone">
        <ConfirmButton
          label="Delete stream"
          heading={`Delete “${stream.title}”?`}
          confirm="Delete stream"
          onConfirm={remove}
        >
          <p>
            The stream, its keys and its links stop working at once
            {stream.state === 'idle' ? '' : ', and the running broadcast ends'}. This cannot be undone.
          </p>
        </ConfirmButton>
      </div>
    </section>
  );
}
