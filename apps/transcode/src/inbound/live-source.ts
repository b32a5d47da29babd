/**
 * One claimed source: tags go into the packager, its parts to delivery, and what delivery has taken comes back as the
 * heartbeat. When parts wait, ingest is told to slow down; when they cannot be written, the source is given back.
 */
import type { Clock } from '@millrace/clock';
import type { MediaTag } from '@millrace/flv';
import type {
  PartWrite,
  RenditionSpec,
  SourceAssignment,
  SourceEnd,
  SourceHandler,
  SourceLink,
  WindowSettings,
} from '@millrace/handover';
import type { Logger } from '@millrace/log';
import type { PackagedPart } from '../core/packaged-part.ts';
import { Packager } from '../core/packager.ts';
import type { RenditionFacts, WindowPush, WindowPushEvents } from '../core/ports.ts';
import type { TranscodeMetrics } from '../metrics.ts';

export interface LiveSourceDeps {
  readonly openPush: (events: WindowPushEvents) => WindowPush;
  readonly renditionFacts: RenditionFacts;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: TranscodeMetrics;
  /** Media bytes of one source that may wait before its publisher is slowed. */
  readonly maxQueuedBytes: number;
  /** The source is over for this worker. Called once. */
  readonly onOver: (source: LiveSource) => void;
}

export class LiveSource implements SourceHandler {
  readonly #deps: LiveSourceDeps;
  readonly #assignment: SourceAssignment;
  readonly #link: SourceLink;
  readonly #log: Logger;
  readonly #packager: Packager;
  readonly #push: WindowPush;
  /** Media time that delivery has of each rendition of the open window, ms. */
  readonly #writtenMs = new Map<string, number>();
  #renditions: readonly RenditionSpec[] = [];
  /** The latest open, and the end of the window: both fail through the push, which says so. */
  #opening: Promise<void> | undefined;
  #ending: Promise<void> | undefined;
  #paused = false;
  #over = false;

  constructor(deps: LiveSourceDeps, assignment: SourceAssignment, link: SourceLink) {
    const { metrics } = deps;
    this.#deps = deps;
    this.#assignment = assignment;
    this.#link = link;
    this.#log = deps.log.with({ stream_id: assignment.streamId, epoch: assignment.epoch });
    this.#push = deps.openPush({
      onWritten: (write, waitedMs) => this.#onWritten(write, waitedMs),
      onRefused: (kind) => metrics.refusals.inc({ reason: kind }),
      onFailed: (refusal) => this.#release(refusal.kind, { ...refusal }),
    });
    this.#packager = new Packager(assignment, {
      open: (settings, renditions) => {
        this.#opening = this.#open(settings, renditions).catch((error: unknown) => this.#release('crashed', { error }));
      },
      part: (part) => this.#part(part),
      dropped: (reason) => metrics.dropped.inc({ reason }),
      discontinuity: (reason) => {
        metrics.discontinuities.inc({ reason });
        this.#log.warn('discontinuity', { reason });
      },
      silence: () => metrics.silence.inc(),
    });
  }

  /** Media bytes that wait here. */
  get queuedBytes(): number {
    return this.#push.queuedBytes + this.#packager.bufferedBytes;
  }

  tag(tag: MediaTag): boolean {
    if (this.#over) return true;
    this.#packager.tag(tag, this.#deps.clock.nowMs());
    if (this.queuedBytes <= this.#deps.maxQueuedBytes) return true;
    if (!this.#paused) this.#deps.metrics.pauses.inc();
    this.#paused = true;
    return false;
  }

  interrupted(): void {
    if (!this.#over) this.#packager.flush();
  }

  end(reason: SourceEnd): void {
    if (this.#over) return;
    if (reason === 'lost')
      this.#push.abandon(); // a successor packages the same tags again
    else {
      // Superseded too: another publish goes on in this window, and where this one stops it stops in every rendition alike.
      // Once the other has opened the window, delivery refuses what is late.
      this.#packager.flush();
      this.#ending = this.#endWindow(reason);
    }
    this.#finish(reason);
  }

  /** Renews the lease with the decode time up to which every rendition is written. */
  heartbeat(): void {
    if (this.#over) return;
    const all = this.#renditions.length > 0 && this.#renditions.every(({ name }) => this.#writtenMs.has(name));
    this.#link.heartbeat(all ? Math.min(...this.#writtenMs.values()) : undefined);
  }

  /** Gives the source back once the parts that are cut are written, or `withinMs` have passed. */
  async drain(withinMs: number): Promise<void> {
    if (this.#over) {
      await this.#ending;
      return this.#push.idle();
    }
    let timer: { cancel(): void } | undefined;
    const late = new Promise<void>((resolve) => {
      timer = this.#deps.clock.after(withinMs, resolve);
    });
    await Promise.race([this.#push.idle(), late]);
    timer?.cancel();
    this.#release('draining', {});
  }

  async #open(settings: WindowSettings, renditions: readonly RenditionSpec[]): Promise<void> {
    const { streamId, epoch, publishId } = this.#assignment;
    const state = await this.#push.open({ streamId, epoch, publishId, settings, renditions });
    if (state === undefined) return;
    this.#renditions = renditions;
    this.#writtenMs.clear();
    for (const { name, nextDts } of state.renditions) {
      const timescale = renditions.find((spec) => spec.name === name)?.timescale;
      if (nextDts !== undefined && timescale !== undefined) this.#writtenMs.set(name, (nextDts / timescale) * 1_000);
    }
    const { targetDurationS: target_duration_s, partTargetS: part_target_s } = state.settings;
    const codecs = renditions.map((spec) => spec.codecs);
    this.#log.info('window-opened', { target_duration_s, part_target_s, fresh: state.fresh, codecs });
    if (state.fresh) this.#deps.renditionFacts.started(streamId, epoch, renditions);
    this.#packager.opened(state);
    this.#resume();
  }

  #part(part: PackagedPart): void {
    const { streamId, epoch } = this.#assignment;
    const { rendition, segment, dts, duration, independent, programDateTimeMs, last, bytes, lastFrame } = part;
    const place = { streamId, epoch, rendition, segment, part: part.part };
    // Delivery knows where a stretch begins: the window was opened again for it.
    const media = { dts, duration, independent, programDateTimeMs, last, lastFrame, bytes };
    this.#push.part({ ...place, ...media, discontinuity: false });
  }

  #onWritten(write: PartWrite, waitedMs: number): void {
    const { metrics } = this.#deps;
    const spec = this.#renditions.find(({ name }) => name === write.rendition);
    if (spec !== undefined) {
      this.#writtenMs.set(write.rendition, ((write.dts + write.duration) / spec.timescale) * 1_000);
      metrics.parts.inc({ kind: spec.kind });
    }
    metrics.mediaBytes.inc(write.bytes.reduce((sum, slice) => sum + slice.byteLength, 0));
    metrics.writeSeconds.observe(waitedMs / 1_000);
    this.#resume();
  }

  #resume(): void {
    if (!this.#paused || this.#over || this.queuedBytes > this.#deps.maxQueuedBytes / 2) return;
    this.#paused = false;
    this.#link.resume();
  }

  /** Waits until all media is with the push, and ends the window unless another publish goes on in it. */
  async #endWindow(reason: 'ended' | 'superseded'): Promise<void> {
    const { streamId, epoch } = this.#assignment;
    for (let opening = this.#opening; opening !== undefined; opening = this.#opening) {
      await opening;
      if (this.#opening === opening) break; // opening one window may have asked for another
    }
    if (reason === 'ended') await this.#push.end({ streamId, epoch });
  }

  #release(reason: string, detail: Readonly<Record<string, unknown>>): void {
    if (this.#over) return;
    this.#finish(reason);
    this.#push.abandon();
    this.#log.warn('source-released', { reason, ...detail });
    this.#link.release(reason);
  }

  #finish(reason: string): void {
    this.#over = true;
    this.#deps.metrics.claimsEnded.inc({ reason });
    this.#deps.onOver(this);
  }
}
