import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { OriginReply, OriginRequest } from './delivery-origin.ts';

type Reply<K extends OriginReply['kind']> = Extract<OriginReply, { kind: K }>;

/** The forked origin of a benchmark. */
export class OriginProcess implements AsyncDisposable {
  readonly origin: string;
  readonly playbackId: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, listening: Reply<'listening'>) {
    this.#child = child;
    this.origin = listening.origin;
    this.playbackId = listening.playbackId;
  }

  /**
   * Forks `delivery-origin.ts` and waits until it listens. `execArgv` is added to node's options (`--cpu-prof`), `env` to its
   * settings.
   */
  static async start(
    execArgv: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
  ): Promise<OriginProcess> {
    const path = fileURLToPath(new URL('./delivery-origin.ts', import.meta.url));
    const options = { execArgv: ['--import', 'tsx', ...execArgv], env: { ...process.env, ...env } };
    const child = fork(path, [], { ...options, stdio: 'inherit' });
    return new OriginProcess(child, await replyOf(child, 'listening'));
  }

  get port(): number {
    return Number(new URL(this.origin).port);
  }

  tell(request: OriginRequest): void {
    this.#child.send(request);
  }

  async ask<K extends 'written' | 'usage'>(
    request: K extends 'written' ? 'write' : 'usage',
    kind: K,
  ): Promise<Reply<K>> {
    const reply = replyOf(this.#child, kind);
    this.#child.send(request);
    return reply;
  }

  /** URLs of the media playlists of one viewer session, by rendition. */
  async mediaPlaylists(): Promise<Readonly<Record<string, string>>> {
    const entry = `${this.origin}/live/${this.playbackId}/index.m3u8`;
    const text = await (await fetch(entry)).text();
    const uris = [...text.matchAll(/URI="([^"]+)"|^(s\/.*)$/gm)].map((match) => match[1] ?? match[2] ?? '');
    return Object.fromEntries(uris.map((uri) => [uri.split('/')[2] ?? '', new URL(uri, entry).href] as const));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = once(this.#child, 'exit');
    this.tell('stop');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await gone;
    clearTimeout(timer);
  }
}

function replyOf<K extends OriginReply['kind']>(child: ChildProcess, kind: K): Promise<Reply<K>> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: OriginReply) => {
      if (message.kind !== kind) return;
      child.off('message', onMessage);
      child.off('exit', onExit);
      resolve(message as Reply<K>);
    };
    const onExit = (code: number | null) => reject(new Error(`the origin exited with ${code}, expected "${kind}"`));
    child.on('message', onMessage);
    child.once('exit', onExit);
  });
}

/** The value below which a share `p` of the sorted `values` lies. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? Number.NaN;
}
