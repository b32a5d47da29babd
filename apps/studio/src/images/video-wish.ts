/** What is asked of the video of an image. Pure. */

export const motions = [
  { motion: 'ken-burns', words: 'Ken Burns' },
  { motion: 'zoom-in', words: 'Zoom in' },
  { motion: 'zoom-out', words: 'Zoom out' },
  { motion: 'pan-left', words: 'Pan left' },
  { motion: 'pan-right', words: 'Pan right' },
  { motion: 'pan-up', words: 'Pan up' },
  { motion: 'pan-down', words: 'Pan down' },
  { motion: 'still', words: 'Still' },
] as const;
export type Motion = (typeof motions)[number]['motion'];

export const sizes = [
  { name: '1280x720', words: '1280 × 720, wide' },
  { name: '1920x1080', words: '1920 × 1080, wide' },
  { name: '720x1280', words: '720 × 1280, upright' },
  { name: '1080x1920', words: '1080 × 1920, upright' },
  { name: '1080x1080', words: '1080 × 1080, square' },
] as const;
export type SizeName = (typeof sizes)[number]['name'];

export interface VideoWish {
  readonly motion: Motion;
  /** As typed. */
  readonly seconds: string;
  readonly size: SizeName;
  readonly fill: 'crop' | 'blur';
  readonly caption: string;
  /** A video whose sound is played under the picture; empty: none. */
  readonly audioVideoId: string;
  readonly visibility: 'public' | 'private';
  /** Name of an external generator; empty: our own animation. */
  readonly provider: string;
  readonly prompt: string;
}

export const usualWish: VideoWish = {
  ...{ motion: 'ken-burns', seconds: '5', size: '1280x720', fill: 'crop', caption: '', audioVideoId: '' },
  ...{ visibility: 'public', provider: '', prompt: '' },
};

export interface VideoWishBody {
  readonly motion: Motion;
  readonly duration_ms: number;
  readonly width: number;
  readonly height: number;
  readonly fill: 'crop' | 'blur';
  readonly visibility: 'public' | 'private';
  readonly caption?: string;
  readonly audio_video_id?: string;
  readonly provider?: string;
  readonly prompt?: string;
  readonly force: boolean;
}

/** Half a second to ten minutes, ms; undefined: what was typed is no such length. */
export function durationOf(seconds: string): number | undefined {
  const text = seconds.trim().replace(',', '.');
  if (!/^\d{1,3}(\.\d{1,3})?$/.test(text)) return undefined;
  const ms = Math.round(Number(text) * 1000);
  return ms >= 500 && ms <= 600_000 ? ms : undefined;
}

/** What is sent; undefined while the length is none. */
export function bodyOfWish(wish: VideoWish, force: boolean): VideoWishBody | undefined {
  const duration_ms = durationOf(wish.seconds);
  if (duration_ms === undefined) return undefined;
  const [width = 1280, height = 720] = wish.size.split('x').map(Number);
  const [caption, provider, prompt] = [wish.caption, wish.provider, wish.prompt].map((text) => text.trim());
  return {
    ...{ motion: wish.motion, duration_ms, width, height, fill: wish.fill, visibility: wish.visibility, force },
    ...(caption ? { caption } : {}),
    ...(wish.audioVideoId === '' ? {} : { audio_video_id: wish.audioVideoId }),
    ...(provider ? { provider } : {}),
    ...(prompt ? { prompt } : {}),
  };
}
