/** Ingest health as the hub tells it. */
import type { HubStream } from '@millrace/api';
import { type Health, readHealth } from '../api/resources.ts';
import { WireMismatch } from '../api/wire.ts';
import { bitrate } from '../format/numbers.ts';

/** Checked as the API's is: a hub of another version gives no figures instead of wrong ones. */
export function healthOf(health: HubStream['health']): Health | null {
  if (health === null || health === undefined) return null;
  try {
    return readHealth(health, '');
  } catch (error) {
    if (error instanceof WireMismatch) return null;
    throw error;
  }
}

/** One line: `2.5 Mbit/s, 30 fps`. */
export function healthSummary(health: Health): string {
  return `${bitrate(health.video_bps + health.audio_bps)}, ${Math.round(health.frames_per_second)} fps`;
}
