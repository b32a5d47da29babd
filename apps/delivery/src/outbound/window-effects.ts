import type { Clock } from '@millrace/clock';
import type { StreamId } from '@millrace/ids';
import type { Logger } from '@millrace/log';
import type { WindowObserver } from '../core/live-streams.ts';
import type { LiveWindow, WindowChange } from '../core/live-window.ts';
import type { WindowAges } from '../core/window-ages.ts';
import type { DeliveryMetrics } from '../metrics.ts';
import type { WindowArchive } from './window-archive.ts';

export interface WindowEffectsDeps {
  readonly archive: WindowArchive;
  readonly ages: WindowAges;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: DeliveryMetrics;
  /** Those who wait for something of the window. */
  readonly waiters: {
    wake(track: WindowChange['track']): void;
    evict(window: LiveWindow): void;
  };
}

/** What follows from a change of a live window: waiters wake, segments are archived and deleted, things are counted. */
export class WindowEffects implements WindowObserver {
  readonly #deps: WindowEffectsDeps;

  constructor(deps: WindowEffectsDeps) {
    this.#deps = deps;
  }

  changed(_streamId: StreamId, window: LiveWindow, changes: readonly WindowChange[]): void {
    const { archive, ages, clock, waiters } = this.#deps;
    ages.touch(window, clock.monotonicMs());
    for (const { track, completed, expired } of changes) {
      waiters.wake(track);
      for (const segment of completed) {
        if (segment.media === undefined) continue;
        const key = archive.key(window.id, track.name, segment.number);
        archive.store(window.id, key, segment.media, () => track.archived(segment.number));
      }
      const gone = expired.filter((segment) => !segment.gap);
      archive.remove(
        window.id,
        gone.map((segment) => archive.key(window.id, track.name, segment.number)),
      );
    }
  }

  opened(streamId: StreamId, window: LiveWindow): void {
    const { ages, clock, log, metrics } = this.#deps;
    ages.touch(window, clock.monotonicMs());
    metrics.windowsOpened.inc();
    log.info('window-opened', {
      stream_id: streamId,
      epoch: window.epoch,
      window_id: window.id,
      renditions: window.tracks().map((track) => `${track.name} ${track.spec.codecs}`),
    });
  }

  ended(streamId: StreamId, window: LiveWindow): void {
    this.#deps.log.info('window-ended', { stream_id: streamId, epoch: window.epoch, window_id: window.id });
  }

  removed(streamId: StreamId, window: LiveWindow): void {
    const { archive, ages, log, waiters } = this.#deps;
    ages.forget(window);
    waiters.evict(window);
    archive.removeWindow(window.id);
    log.info('window-removed', { stream_id: streamId, window_id: window.id });
  }

  shed(streamId: StreamId, window: LiveWindow, bytes: number): void {
    const { log, metrics } = this.#deps;
    metrics.segmentsShed.inc({ reason: 'memory' });
    log.error('segment-shed', { stream_id: streamId, window_id: window.id, bytes });
  }
}
