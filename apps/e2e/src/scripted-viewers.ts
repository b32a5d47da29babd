/** Viewers without a player: each has a session and reloads one media playlist, as long as it is told to. */
import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { renditionUrls } from './stream-follower.ts';

export interface ScriptedViewers extends AsyncDisposable {
  /** Those who watch now. */
  readonly count: number;
  /** Lets `count` more watch by way of `baseUrl`. They go on at any other of `baseUrls` when it does not answer. */
  join(count: number, baseUrl: string): Promise<void>;
  /** Lets `count` of them fall silent, as a browser that is closed. */
  leave(count: number): void;
}

const reloadMs = 700;

/** Opens an empty audience of the stream at `path`, e.g. `/live/{playbackId}/index.m3u8`. */
export function openScriptedViewers(path: string, baseUrls: readonly string[]): ScriptedViewers {
  const agent = new Agent({ keepAlive: true });
  const watching = new Map<AbortController, Promise<void>>();

  const fetchText = (url: string) =>
    new Promise<string | undefined>((resolve) => {
      const request = get(url, { agent, timeout: 10_000 }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (more: string) => {
          text += more;
        });
        response.on('end', () => resolve(response.statusCode === 200 ? text : undefined));
        response.on('error', () => resolve(undefined));
      });
      request.on('timeout', () => request.destroy());
      request.on('error', () => resolve(undefined));
    });

  async function watch(playlist: string, baseUrl: string, signal: AbortSignal): Promise<void> {
    let base = baseUrl;
    await sleep(Math.random() * reloadMs);
    while (!signal.aborted) {
      const text = await fetchText(`${base}${playlist}`);
      if (text === undefined) base = baseUrls.find((other) => other !== base) ?? base;
      await sleep(text === undefined ? 50 : reloadMs);
    }
  }

  return {
    get count() {
      return watching.size;
    },
    async join(count, baseUrl) {
      const entries = await Promise.all(Array.from({ length: count }, () => fetchText(`${baseUrl}${path}`)));
      for (const entry of entries) {
        const [playlist] = renditionUrls(entry ?? '', `${baseUrl}${path}`);
        if (playlist === undefined) throw new Error(`expected a multivariant playlist at ${baseUrl}${path}`);
        const abort = new AbortController();
        watching.set(abort, watch(new URL(playlist).pathname, baseUrl, abort.signal));
      }
    },
    leave(count) {
      for (const abort of [...watching.keys()].slice(0, count)) {
        abort.abort();
        watching.delete(abort);
      }
    },
    async [Symbol.asyncDispose]() {
      const loops = [...watching.values()];
      for (const abort of watching.keys()) abort.abort();
      agent.destroy();
      await Promise.all(loops);
    },
  };
}
