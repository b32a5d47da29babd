import type { BeaconIntake } from './beacon-intake.ts';
import type { WatchExchange } from './exchange.ts';
import type { ViewerDoor } from './viewer-door.ts';

export interface VideoViewersDeps {
  readonly door: Pick<ViewerDoor, 'mint' | 'arrived' | 'fetched'>;
  readonly beacons: Pick<BeaconIntake, 'request'>;
}

/**
 * Who watches a video. Its playlists are not reloaded, so a viewer is known by the files that he fetches and by what his player
 * reports; the files are the same for everybody, so they tell only which address and player they went to.
 */
export class VideoViewers {
  readonly #deps: VideoViewersDeps;

  constructor(deps: VideoViewersDeps) {
    this.#deps = deps;
  }

  /** The id of a new session, for a multivariant playlist or a presentation. */
  mint(watch: WatchExchange): string {
    return this.#deps.door.mint(watch);
  }

  /** A request is a sign of life, and may carry a report. */
  heard(watch: WatchExchange): void {
    const { door, beacons } = this.#deps;
    const { target } = watch.path;
    if (target.kind === 'media-playlist') door.arrived(watch, target.session);
    else if (target.kind === 'media') door.fetched(watch);
    beacons.request(watch);
  }
}
