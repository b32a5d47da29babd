/** A writer that makes opaque parts on demand: what the packager does, without media. */
import type { LiveWindowWriter, OpenWindow, PartWrite, RenditionSpec, WindowState } from '@millrace/handover';
import type { Epoch, PublishId, StreamId } from '@millrace/ids';

export interface SyntheticOptions {
  readonly streamId: StreamId;
  readonly epoch?: number;
  readonly publishId?: string;
  readonly renditions?: readonly RenditionSpec[];
  readonly targetDurationS?: number;
  /** Bytes of a part. */
  readonly partBytes?: number;
  readonly partsPerSegment?: number;
}

const partMs = 200;

/** A track's declaration; `codecVersion` changes its init section. */
export function spec(name: 'video' | 'audio', codecVersion = 1): RenditionSpec {
  const init = new Uint8Array([...new TextEncoder().encode(`ftypmoov-${name}-`), codecVersion]);
  return name === 'video'
    ? { name, kind: 'video', codecs: 'avc1.64001f', timescale: 90_000, width: 1280, height: 720, frameRate: 30, init }
    : { name, kind: 'audio', codecs: 'mp4a.40.2', timescale: 48_000, channels: 2, sampleRate: 48_000, init };
}

export class SyntheticBroadcast {
  readonly open: OpenWindow;
  readonly #writer: LiveWindowWriter;
  readonly #options: SyntheticOptions;
  #next = new Map<string, { segment: number; part: number; dts: number }>();

  constructor(writer: LiveWindowWriter, options: SyntheticOptions) {
    this.#writer = writer;
    this.#options = options;
    this.open = {
      streamId: options.streamId,
      epoch: (options.epoch ?? 1) as Epoch,
      publishId: (options.publishId ?? 'pub_1') as PublishId,
      settings: { targetDurationS: options.targetDurationS ?? 2, partTargetS: 0.216, partDurationMs: partMs },
      renditions: options.renditions ?? [spec('video'), spec('audio')],
    };
  }

  /** Opens the window and goes on where it stands. */
  async start(): Promise<WindowState> {
    const opened = await this.#writer.open(this.open);
    if (!opened.ok) throw new Error(`open refused: ${JSON.stringify(opened.error)}`);
    for (const { name, next, nextDts } of opened.value.renditions) {
      this.#next.set(name, { ...next, dts: nextDts ?? 0 });
    }
    return opened.value;
  }

  next(rendition: string): { segment: number; part: number } {
    const at = this.#next.get(rendition);
    if (at === undefined) throw new Error(`no rendition ${rendition}`);
    return { segment: at.segment, part: at.part };
  }

  /** The write that comes next for a rendition, with bytes that name it. */
  write(rendition: string): PartWrite {
    const at = this.#next.get(rendition);
    const spec = this.open.renditions.find((entry) => entry.name === rendition);
    if (at === undefined || spec === undefined) throw new Error(`no rendition ${rendition}`);
    const duration = (spec.timescale * partMs) / 1000;
    const label = new TextEncoder().encode(`${rendition} ${at.segment}.${at.part} epoch ${this.open.epoch};`);
    const padding = Math.max(0, (this.#options.partBytes ?? 64) - label.byteLength);
    return {
      streamId: this.open.streamId,
      epoch: this.open.epoch,
      rendition,
      segment: at.segment,
      part: at.part,
      dts: at.dts,
      duration,
      independent: spec.kind === 'audio' || at.part === 0,
      discontinuity: false,
      programDateTimeMs: at.part === 0 ? 1_700_000_000_000 + (at.dts / spec.timescale) * 1000 : undefined,
      last: at.part === (this.#options.partsPerSegment ?? 10) - 1,
      bytes: [label, new Uint8Array(padding).fill(46)],
    };
  }

  /** Writes the next part of a rendition. */
  async part(rendition: string): Promise<void> {
    const write = this.write(rendition);
    const taken = await this.#writer.part(write);
    if (!taken.ok) throw new Error(`part refused: ${JSON.stringify(taken.error)}`);
    const dts = write.dts + write.duration;
    this.#next.set(
      rendition,
      write.last ? { segment: write.segment + 1, part: 0, dts } : { segment: write.segment, part: write.part + 1, dts },
    );
  }

  /** Writes `count` parts of every rendition. */
  async parts(count: number): Promise<void> {
    for (let i = 0; i < count; i++) for (const { name } of this.open.renditions) await this.part(name);
  }

  async end(): Promise<void> {
    const ended = await this.#writer.end({ streamId: this.open.streamId, epoch: this.open.epoch });
    if (!ended.ok) throw new Error(`end refused: ${JSON.stringify(ended.error)}`);
  }
}
