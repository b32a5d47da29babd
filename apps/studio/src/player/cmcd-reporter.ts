/**
 * CMCD v2 in event mode for an Hls instance: hls.js decides when a report is due and writes it (play states, errors, changes of
 * bitrate, every 10 s); we add what it does not measure and send. Nothing is added to the requests themselves: media URLs are
 * shared by all viewers and cached for good, and a query or header of one viewer's would end that.
 */
import type Hls from 'hls.js';
import type { HlsConfig } from 'hls.js';
import { pageTime } from './browser-time.ts';
import { quitLine, reportPath, withMeasures } from './cmcd-lines.ts';
import { CmcdOutbox } from './cmcd-outbox.ts';
import type { PlayMeter } from './play-meter.ts';

/** Seconds between reports without an event. */
const intervalS = 10;

export class CmcdReporter {
  readonly #outbox: CmcdOutbox;
  readonly #abort = new AbortController();
  #meter: PlayMeter | undefined;
  #hls: Hls | undefined;
  #sequence = 0;
  #startupSent = false;

  /**
   * `url` is the multivariant playlist's. A live stream's reports go to the session in its playlists' addresses, a video's to
   * the video: its sessions are told apart by `sid`.
   */
  constructor(url: string, of: 'stream' | 'video' = 'stream') {
    this.#outbox = new CmcdOutbox({
      path: () => reportPath(url, of === 'stream' ? this.#hls?.levels[0]?.uri : undefined),
      fetch: (path, init) => fetch(path, init),
      beacon: (path, body) => navigator.sendBeacon(path, body),
      time: pageTime,
    });
  }

  /** Settings for the Hls instance. `rr` is left out: with parts of 200 ms it would be ten reports a second. */
  readonly settings: Pick<HlsConfig, 'cmcd'> = {
    cmcd: {
      version: 2,
      includeKeys: [],
      // The address is not known before the playlist is: `loader` knows it when it sends.
      eventTargets: [{ url: 'session', version: 2, events: ['ps', 'e', 't', 'bc'], interval: intervalS, batchSize: 1 }],
      loader: (request) => {
        if (typeof request.body === 'string') this.#take(request.body);
        return Promise.resolve({ status: 204 });
      },
    },
  };

  attach(hls: Hls, video: HTMLVideoElement, meter: PlayMeter): void {
    this.#hls = hls;
    this.#meter = meter;
    // hls.js wraps every load for request mode, which is off, and its wrapper hides the Age header of playlists.
    Object.assign(hls.config, { pLoader: undefined, fLoader: undefined });
    const { signal } = this.#abort;
    video.addEventListener('playing', () => this.#outbox.release(), { signal });
    // Not `unload`, which phones do not send. A page that comes back from the cache has a player that reports on.
    addEventListener('pagehide', (event) => !event.persisted && this.#quit(), { signal });
  }

  /** Before the Hls instance is destroyed. */
  close(): void {
    this.#quit();
  }

  #take(body: string): void {
    for (const line of body.split('\n')) {
      if (line === '') continue;
      this.#sequence += 1;
      this.#outbox.put(this.#measured((measures) => withMeasures(line, measures)));
    }
  }

  #quit(): void {
    if (this.#abort.signal.aborted) return;
    this.#abort.abort();
    this.#meter?.end();
    const sid = this.#hls?.sessionId;
    if (sid !== undefined) {
      this.#outbox.put(this.#measured((measures) => quitLine(sid, this.#sequence, Date.now(), measures)));
    }
    this.#outbox.close();
    this.#meter?.close();
  }

  /** Startup is told once, and so is each stop. */
  #measured(write: (measures: ReturnType<PlayMeter['read']>) => string): string {
    const meter = this.#meter;
    if (meter === undefined) return write(nothingMeasured);
    const measures = meter.read();
    const line = write(this.#startupSent ? { ...measures, startupMs: undefined } : measures);
    if (measures.startupMs !== undefined) this.#startupSent = true;
    meter.reported();
    return line;
  }
}

const nothingMeasured: ReturnType<PlayMeter['read']> = {
  startupMs: undefined,
  starvedCount: 0,
  starvedTotalMs: 0,
  starvedMs: undefined,
  latencyMs: undefined,
  droppedFrames: undefined,
  playheadKbps: undefined,
  topKbps: undefined,
  throughputKbps: undefined,
};
