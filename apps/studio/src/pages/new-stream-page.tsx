/** Creating a stream and its first key. */
import { useState } from 'react';
import type { StreamDraft } from '../api/resources.ts';
import { ErrorNotice } from '../parts/notice.tsx';
import { navigate } from '../routing/router.tsx';
import { useStudio } from '../session/context.tsx';
import type { FreshKey } from './fresh-key.ts';
import { StreamForm } from './stream-form.tsx';
import { useAction } from './use-call.ts';

const emptyDraft: StreamDraft = { title: '', visibility: 'public', latency_mode: 'low' };

export function NewStreamPage({ onCreated }: { readonly onCreated: (key: FreshKey) => void }) {
  const { api } = useStudio();
  const { busy, error, run } = useAction();
  const [createdId, setCreatedId] = useState<string | undefined>(undefined);

  const create = async (draft: StreamDraft) => {
    // When only the key failed, the second press makes the key and not a second stream.
    const streamId = createdId ?? (await run(() => api.createStream(draft)))?.id;
    if (streamId === undefined) return;
    setCreatedId(streamId);
    const key = await run(() => api.createKey(streamId, 'Encoder'));
    if (key === undefined) return;
    onCreated({ streamId, key });
    navigate({ kind: 'stream', streamId }, { replace: true });
  };

  return (
    <div className="narrow">
      <h1>New stream</h1>
      <ErrorNotice error={error} />
      <section className="card">
        <StreamForm
          initial={emptyDraft}
          submit="Create stream"
          busy={busy}
          onSubmit={(draft) => void create(draft)}
          autoFocus
        />
      </section>
    </div>
  );
}
