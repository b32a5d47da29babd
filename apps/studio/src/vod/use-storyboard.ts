import { useCallback, useEffect, useRef, useState } from 'react';
import { parseStoryboard, type StoryboardTile } from './storyboard.ts';

const nothing: readonly StoryboardTile[] = [];

/** The small pictures of a video. They are asked for when they are first wanted; without them nothing is missing but the pictures. */
export function useStoryboard(url: string | undefined): {
  readonly tiles: readonly StoryboardTile[];
  readonly want: () => void;
} {
  const [loaded, setLoaded] = useState<{ readonly url: string; readonly tiles: readonly StoryboardTile[] }>();
  const asked = useRef<string | undefined>(undefined);
  const abort = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => abort.current?.abort(), []);
  const want = useCallback(() => {
    if (url === undefined || asked.current === url) return;
    asked.current = url;
    abort.current?.abort();
    const stop = new AbortController();
    abort.current = stop;
    fetch(url, { signal: stop.signal })
      .then(async (answer) => {
        const tiles = answer.ok ? parseStoryboard(await answer.text(), answer.url) : nothing;
        setLoaded({ url, tiles });
      })
      .catch(() => {
        if (asked.current === url) asked.current = undefined; // asked again when it is wanted again
      });
  }, [url]);
  return { tiles: loaded !== undefined && loaded.url === url ? loaded.tiles : nothing, want };
}
