/** Composition of playing videos: the same at an origin and at an edge, both of which read the media store that processes share. */
import type { TokenVerifier } from '@millrace/auth';
import type { Table } from '@millrace/eventlog';
import type { VideoState } from '@millrace/events';
import type { HttpMount } from '@millrace/http';
import { StoreReads } from './core/store-reads.ts';
import type { BeaconRoutes } from './inbound/beacon-routes.ts';
import { VideoDirectory } from './inbound/video-directory.ts';
import { VideoViewers } from './inbound/video-viewers.ts';
import { VodRefusals } from './inbound/vod-exchange.ts';
import { VodFiles } from './inbound/vod-files.ts';
import { VodRoutes } from './inbound/vod-routes.ts';
import { VodTextRoutes } from './inbound/vod-texts.ts';
import { type DeliveryMetrics, registerVideoGauges } from './metrics.ts';
import { VideoTexts } from './outbound/video-texts.ts';
import type { DeliveryDeps } from './service.ts';
import type { ViewerTracking } from './viewer-tracking.ts';

export interface VideoPlayback extends AsyncDisposable {
  readonly mount: HttpMount;
}

/** Opens it on tables and viewers that stay their opener's. */
export function openVideoPlayback(
  deps: DeliveryDeps,
  given: {
    readonly metrics: DeliveryMetrics;
    readonly videoTable: Table<VideoState>;
    readonly tokens: Pick<TokenVerifier, 'verifyPlaybackToken'>;
    readonly viewers: Pick<ViewerTracking, 'door' | 'beacons'>;
    readonly events: BeaconRoutes;
  },
): VideoPlayback {
  const { settings, mediaStore: store, clock, log } = deps;
  const { metrics, videoTable, tokens, viewers, events } = given;
  const directory = new VideoDirectory(videoTable, clock);
  const reads = new StoreReads(settings.DELIVERY_MAX_VIDEO_READS);
  const refusals = new VodRefusals(metrics);
  const texts = new VideoTexts({ store, reads, clock, onRead: (outcome) => metrics.videoTexts.inc({ outcome }) });
  registerVideoGauges(deps.metrics, { reads: () => reads.running, videos: () => directory.size });
  return {
    mount: new VodRoutes({
      ...{ directory, tokens, events, refusals, metrics, log },
      texts: new VodTextRoutes({ texts, refusals, metrics }),
      files: new VodFiles({ store, reads, refusals, metrics }),
      viewers: new VideoViewers(viewers),
    }),
    async [Symbol.asyncDispose]() {
      directory[Symbol.dispose]();
    },
  };
}
