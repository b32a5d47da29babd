/** The state of a stream in the list: from the list where the server says it, else from the stream itself. */
import { useEffect, useState } from 'react';
import type { Stream, StreamState } from '../api/resources.ts';
import { useStudio } from '../session/context.tsx';

export function useStreamState(stream: Stream): StreamState | undefined {
  const { api } = useStudio();
  const [asked, setAsked] = useState<StreamState | undefined>(undefined);
  useEffect(() => {
    if (stream.state !== undefined) return;
    const abort = new AbortController();
    // `stream` is a new object with each refresh of the list, which is when to ask again.
    void api.getStream(stream.id, abort.signal).then((answer) => {
      if (answer.ok && !abort.signal.aborted) setAsked(answer.value.state);
    });
    return () => abort.abort();
  }, [api, stream]);
  return stream.state ?? asked;
}
