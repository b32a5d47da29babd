/**
 * Playlists and captions of videos: small texts, read whole from the media store once for many who ask, and kept for a moment. A
 * text may be replaced under its key while a video is still being processed, so what is kept is short-lived and its ETag is made
 * of what it says.
 */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Clock } from '@millrace/clock';
import type { MediaStore } from '@millrace/media-store';
import { err, ok, type Result } from '@millrace/result';
import { ByteCache } from '../core/byte-cache.ts';
import type { StoreReads } from '../core/store-reads.ts';
import type { TextAsk, TextFailure, TextReader, VideoText } from '../core/video-text.ts';

export interface VideoTextsDeps {
  readonly store: Pick<MediaStore, 'get'>;
  readonly reads: StoreReads;
  readonly clock: Clock;
  readonly onRead: (outcome: 'kept' | 'read') => void;
}

interface Kept {
  readonly text: VideoText;
  readonly atMs: number;
}

/** A playlist of a day in segments of 4 s has about 2 MB. */
const mostTextBytes = 8 * 1024 * 1024;
const cacheBytes = 32 * 1024 * 1024;
/** Below it the header costs more than it saves. */
const leastGzipBytes = 512;
const gzipLevel = 5;
const pack = promisify(gzip);

export class VideoTexts implements TextReader {
  readonly #deps: VideoTextsDeps;
  readonly #kept = new ByteCache<Kept>(cacheBytes);
  readonly #running = new Map<string, Promise<Result<VideoText, TextFailure>>>();

  constructor(deps: VideoTextsDeps) {
    this.#deps = deps;
  }

  /** The text, from memory or from the store. Never rejects. */
  read(ask: TextAsk): Promise<Result<VideoText, TextFailure>> {
    const name = `${ask.key} ${ask.edit?.name ?? ''}`;
    const kept = this.#kept.get(name);
    if (kept !== undefined && this.#deps.clock.monotonicMs() - kept.atMs <= ask.freshMs) {
      this.#deps.onRead('kept');
      return Promise.resolve(ok(kept.text));
    }
    const running = this.#running.get(name);
    if (running !== undefined) return running;
    const started = this.#deps.reads
      .run(() => this.#load(ask, name))
      .then((loaded) => loaded ?? err<TextFailure>({ kind: 'too-busy' }))
      .finally(() => this.#running.delete(name));
    this.#running.set(name, started);
    return started;
  }

  async #load(ask: TextAsk, name: string): Promise<Result<VideoText, TextFailure>> {
    const { store, clock, onRead } = this.#deps;
    const atMs = clock.monotonicMs();
    try {
      const object = await store.get(ask.key);
      if (!object.ok) {
        const { kind } = object.error;
        const message = 'message' in object.error ? object.error.message : `the store said ${kind}`;
        return err(kind === 'not-found' ? { kind } : { kind: 'unavailable', message });
      }
      const slices: Uint8Array[] = [];
      let bytes = 0;
      for await (const slice of object.value.bytes) {
        bytes += slice.byteLength;
        if (bytes > mostTextBytes) {
          return err({ kind: 'unavailable', message: `${ask.key} has more than ${mostTextBytes} bytes` });
        }
        slices.push(slice);
      }
      const whole = Buffer.concat(slices);
      const plain = ask.edit === undefined ? whole : Buffer.from(ask.edit.apply(whole.toString('utf8')));
      const packed = plain.byteLength < leastGzipBytes ? undefined : await pack(plain, { level: gzipLevel });
      const tag = createHash('sha256').update(plain).digest('base64url').slice(0, 22);
      const text = { plain, gzip: packed, tag };
      onRead('read');
      this.#kept.put(name, { text, atMs }, plain.byteLength + (packed?.byteLength ?? 0));
      return ok(text);
    } catch (error) {
      return err({ kind: 'unavailable', message: error instanceof Error ? error.message : String(error) });
    }
  }
}
