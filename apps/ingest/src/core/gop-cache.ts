/**
 * What a worker needs to go on where another one stopped: the sequence headers and every tag since the last keyframe that
 * is known to be packaged. A group starts at a keyframe; without video, at an audio frame a second after the last start.
 */
import { type MediaTag, tagHeadBytes } from '@millrace/flv';

interface Group {
  readonly startMs: number;
  /** The configurations in force when it started. */
  readonly videoConfig: MediaTag | undefined;
  readonly audioConfig: MediaTag | undefined;
  readonly tags: MediaTag[];
  bytes: number;
}

const audioGroupMs = 1_000;
/** A worker reports one clock for two tracks: the other track may be this far behind, and parts in flight may be lost. */
const packagedMarginMs = 500;

export class GopCache {
  readonly #maxBytes: number;
  #groups: Group[] = [];
  #bytes = 0;
  #videoConfig: MediaTag | undefined;
  #audioConfig: MediaTag | undefined;
  #metadata: MediaTag | undefined;
  #packagedMs: number | undefined;
  #overflows = 0;

  /** `maxBytes` bounds the tags kept. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** How often a group had to go because the cap was reached. */
  get overflows(): number {
    return this.#overflows;
  }

  /** Some worker has packaged up to this decode time; groups wholly before it are let go at the next keyframe. */
  packaged(untilMs: number | undefined): void {
    this.#packagedMs = untilMs;
    this.#forgetPackaged();
  }

  add(tag: MediaTag): void {
    if (this.#startsGroup(tag)) {
      this.#groups.push({
        startMs: tag.timestampMs,
        videoConfig: this.#videoConfig,
        audioConfig: this.#audioConfig,
        tags: [],
        bytes: 0,
      });
      this.#forgetPackaged();
    }
    if (tag.kind === 'video-config') this.#videoConfig = tag;
    else if (tag.kind === 'audio-config') this.#audioConfig = tag;
    else if (tag.kind === 'data') this.#metadata = tag;
    const group = this.#groups.at(-1);
    if (group === undefined) return;
    const bytes = bytesOf(tag);
    group.tags.push(tag);
    group.bytes += bytes;
    this.#bytes += bytes;
    while (this.#bytes > this.#maxBytes) this.#dropOldest();
  }

  /** All that a new worker gets, oldest first: metadata, sequence headers (restamped to the first tag), tags. */
  replay(): readonly MediaTag[] {
    const first = this.#groups[0];
    const tags = first?.tags ?? [];
    const atMs = tags[0]?.timestampMs;
    const heads = [this.#metadata, first?.videoConfig ?? this.#videoConfig, first?.audioConfig ?? this.#audioConfig]
      .filter((tag): tag is MediaTag => tag !== undefined)
      .map((tag) => (atMs === undefined ? tag : { ...tag, timestampMs: atMs }));
    return [...heads, ...this.#groups.flatMap((group) => group.tags)];
  }

  #startsGroup(tag: MediaTag): boolean {
    if (tag.kind === 'video-frame') return tag.keyframe;
    if (tag.kind !== 'audio-frame' || this.#videoConfig !== undefined) return false;
    const last = this.#groups.at(-1);
    return last === undefined || Math.abs(tag.timestampMs - last.startMs) >= audioGroupMs;
  }

  /** Keeps the newest group that starts at or before what is packaged, and all after it. */
  #forgetPackaged(): void {
    const until = this.#packagedMs;
    if (until === undefined) {
      // Nobody has shown any of it yet, so a viewer's first picture should be the newest keyframe.
      while (this.#groups.length > 1) this.#forgetFirst();
      return;
    }
    const safeMs = until - packagedMarginMs;
    while (this.#groups.length > 1 && (this.#groups[1]?.startMs ?? until) <= safeMs) this.#forgetFirst();
  }

  #dropOldest(): void {
    this.#overflows++;
    this.#forgetFirst();
  }

  #forgetFirst(): void {
    this.#bytes -= this.#groups.shift()?.bytes ?? 0;
  }
}

/** Memory that a tag keeps alive, with something for the object itself. */
function bytesOf(tag: MediaTag): number {
  switch (tag.kind) {
    case 'video-frame':
    case 'audio-frame':
    case 'data':
      return tag.payload.length + tagHeadBytes.video + 96;
    case 'video-config':
    case 'audio-config':
      return tag.record.length + tagHeadBytes.video + 96;
    case 'end-of-sequence':
      return 96;
  }
}
