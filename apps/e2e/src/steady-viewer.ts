/** A viewer who stays whatever happens to the servers: reloads his playlist every half second and goes on after errors. */
import { renditionUrls } from './stream-follower.ts';

export interface SteadyViewer extends AsyncDisposable {
  /** The session that the multivariant playlist gave him. */
  readonly sessionId: string;
  /** Playlists he got. */
  readonly answers: () => number;
}

const everyMs = 500;

/** Begins to watch; rejects when there is nothing to watch yet. */
export async function watchSteadily(hlsUrl: string): Promise<SteadyViewer> {
  const first = await fetch(hlsUrl, { headers: { 'user-agent': `steady-viewer/${Math.random()}` } });
  const text = await first.text();
  if (!first.ok) throw new Error(`${hlsUrl} answered ${first.status}`);
  const [url = ''] = renditionUrls(text, hlsUrl);
  const sessionId = /\/s\/(ses_[^/]+)\//.exec(url)?.[1];
  if (sessionId === undefined) throw new Error(`no session in ${url}`);
  const abort = new AbortController();
  let answers = 0;
  const loop = async (): Promise<void> => {
    while (!abort.signal.aborted) {
      try {
        const answer = await fetch(url, { signal: AbortSignal.any([abort.signal, AbortSignal.timeout(5_000)]) });
        await answer.arrayBuffer();
        if (answer.ok) answers++;
      } catch {
        // He tries again.
      }
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  };
  const done = loop();
  return {
    sessionId,
    answers: () => answers,
    async [Symbol.asyncDispose]() {
      abort.abort();
      await done;
    },
  };
}
