import { useEffect, useState } from 'react';
import { object, text } from '../api/wire.ts';

const readAbout = object({ title: text });

/** What the video at an address is called; undefined until that is known, or when it is not told. */
export function useTitle(url: string): string | undefined {
  const [title, setTitle] = useState<string | undefined>(undefined);
  useEffect(() => {
    const abort = new AbortController();
    fetch(url, { signal: abort.signal })
      .then(async (answer) => {
        if (answer.ok) setTitle(readAbout(await answer.json(), '').title);
      })
      .catch(() => undefined); // the player says what is the matter, if anything is
    return () => abort.abort();
  }, [url]);
  return title;
}
