/** Composition of an origin: live windows, their archive, and the requests that wait for what they will list. */
import { Scope } from '@millrace/lifecycle';
import { LiveStreams } from './core/live-streams.ts';
import { WindowAges } from './core/window-ages.ts';
import { mintWindow } from './core/window-id.ts';
import { followStreamEnds } from './inbound/stream-ends.ts';
import { type DeliveryMetrics, registerDeliveryGauges } from './metrics.ts';
import { HeldRequests } from './outbound/held-requests.ts';
import { PlaylistBytes } from './outbound/playlist-bytes.ts';
import { WindowArchive } from './outbound/window-archive.ts';
import { WindowEffects } from './outbound/window-effects.ts';
import { WindowSource } from './outbound/window-source.ts';
import type { DeliveryDeps } from './service.ts';

export interface WindowPlayback extends AsyncDisposable {
  readonly source: WindowSource;
  readonly streams: LiveStreams;
}

const megabyte = 1024 * 1024;
const sweepMs = 250;

/** Opens the windows. Closing them lets the archive finish; whoever waits has to be answered before (`source.drain`). */
export async function openWindowPlayback(deps: DeliveryDeps, metrics: DeliveryMetrics): Promise<WindowPlayback> {
  const { settings, eventLog, facts, clock, idSource, log } = deps;
  const scope = new Scope({
    stepDeadlineMs: 5_000,
    onError: (step, error) => log.warn('close-step-failed', { step, error }),
  });
  const archive = scope.use(
    new WindowArchive({
      store: deps.mediaStore,
      prefix: `live/${facts.instanceId.replace(/[^A-Za-z0-9_-]/g, '-')}/`,
      queueCapacity: settings.DELIVERY_ARCHIVE_QUEUE,
      metrics,
      log,
    }),
    'archive',
  );
  await archive.sweep();
  const held = new HeldRequests({ capacity: settings.DELIVERY_MAX_WAITING, clock, metrics });
  const ages = new WindowAges({
    idleMs: settings.DELIVERY_IDLE_WINDOW_S * 1000,
    endedMs: settings.DELIVERY_ENDED_WINDOW_S * 1000,
  });
  const streams = new LiveStreams(
    {
      listedSegments: settings.DELIVERY_LISTED_SEGMENTS,
      streamMemoryBytes: settings.DELIVERY_STREAM_MEMORY_MB * megabyte,
      totalMemoryBytes: settings.DELIVERY_MEMORY_MB * megabyte,
      mostStreams: settings.DELIVERY_MAX_STREAMS,
    },
    () => mintWindow(idSource),
    new WindowEffects({ archive, ages, clock, log, metrics, waiters: held }),
  );
  registerDeliveryGauges(deps.metrics, {
    liveWindows: () => [...streams.windows()].length,
    memoryBytes: () => streams.memoryBytes,
    waitingRequests: () => held.count,
    archiveQueue: () => archive.queued,
  });
  scope.use(
    await followStreamEnds({
      eventLog,
      clock,
      log,
      onEnd: (streamId, epoch) => {
        const wasLive = streams.window(streamId)?.ended === false;
        if (streams.end(streamId, epoch).ok && wasLive) metrics.windowsEnded.inc({ reason: 'stream-ended' });
      },
    }),
    'stream ends',
  );
  const sweep = clock.every(sweepMs, () => {
    held.sweep();
    sweepWindows(streams, ages, clock.monotonicMs(), () => metrics.windowsEnded.inc({ reason: 'idle' }));
  });
  scope.defer('sweep', () => sweep.cancel());
  return {
    source: new WindowSource({
      streams,
      held,
      playlists: new PlaylistBytes((encoding) => metrics.renders.inc({ encoding })),
      store: deps.mediaStore,
      keyOf: (window, track, segment) => archive.key(window.id, track.name, segment),
    }),
    streams,
    [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose](),
  };
}

function sweepWindows(streams: LiveStreams, ages: WindowAges, nowMs: number, onIdle: () => void): void {
  const due = ages.due(nowMs);
  if (due.length === 0) return;
  for (const [streamId, window] of [...streams.windows()]) {
    const action = due.find((entry) => entry.window === window)?.action;
    if (action === 'remove') streams.remove(streamId, window);
    else if (action === 'end' && streams.end(streamId, window.epoch).ok) onIdle();
  }
}
