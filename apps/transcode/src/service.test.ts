import { ManualClock } from '@millrace/clock/testing';
import { loadSettings } from '@millrace/config';
import { renditionsTopic } from '@millrace/events';
import type { MediaTag } from '@millrace/flv';
import { createLocalSourceDesk, type SourceAssignment } from '@millrace/handover';
import { anAssignment, createRecordingWriter } from '@millrace/handover/testing';
import type { Epoch, PublishId } from '@millrace/ids';
import { silentLogger } from '@millrace/log';
import { openMetricsRegistry, renderMetrics } from '@millrace/metrics';
import { expectOk } from '@millrace/result';
import { describe, expect, it } from 'vitest';
import { transcodeSettings } from './config.ts';
import { createTranscodeService } from './service.ts';
import { aSource } from './testing.ts';

/** A worker at a by-reference desk, with a window that records: its own, or that of a predecessor. */
async function aWorker(env: Record<string, string> = {}, writer = createRecordingWriter()) {
  const clock = new ManualClock();
  const { desk, workers } = createLocalSourceDesk({ clock, random: () => 0 });
  const facts: unknown[] = [];
  const metrics = openMetricsRegistry({ processMetrics: false });
  const service = await createTranscodeService({
    settings: expectOk(loadSettings(transcodeSettings, env), 'settings'),
    desks: [desk],
    writer,
    facts: {
      instanceId: 'transcode-1',
      incarnation: 1,
      sampleRoom: 10_000,
      fact: async (topic, value) => {
        expect(topic).toBe(renditionsTopic);
        facts.push(topic.schema.parse(value));
      },
      sample: () => {},
      [Symbol.asyncDispose]: async () => {},
    },
    log: silentLogger,
    clock,
    metrics,
    workerId: 'transcode-1',
    random: () => 0,
  });
  const told = { lost: [] as string[], drains: 0, heartbeats: [] as (number | undefined)[] };
  const assign = (change: Partial<SourceAssignment> = {}) =>
    expectOk(
      workers.assign(anAssignment(change), {
        onLost: (loss, detail) => void told.lost.push(`${loss}: ${detail}`),
        onDrain: () => void told.drains++,
        onHeartbeat: (ms) => void told.heartbeats.push(ms),
      }),
      'assign',
    );
  const push = async (claim: { tag(tag: MediaTag): boolean }, tags: readonly MediaTag[]) => {
    let lastMs = tags[0]?.timestampMs ?? 0;
    for (const tag of tags) {
      if (tag.timestampMs > lastMs) await clock.advance(tag.timestampMs - lastMs);
      lastMs = Math.max(lastMs, tag.timestampMs);
      claim.tag(tag);
    }
    await clock.advance(0);
  };
  const metric = async (name: string) => {
    const line = (await renderMetrics([metrics])).body.split('\n').find((text) => text.startsWith(name));
    return Number(line?.split(' ').at(-1));
  };
  return { clock, workers, writer, facts, service, told, assign, push, metric };
}

describe('a worker', () => {
  it('packages a source from the first tag to ENDLIST, and says what it is made of', async () => {
    const { writer, facts, service, assign, push, clock, metric } = await aWorker();
    const claim = assign();
    await push(claim, aSource({ durationMs: 5_000 }));
    claim.end('ended');
    await clock.advance(0);
    expect(writer.ended).toEqual([anAssignment().streamId]);
    const video = writer.parts.filter((part) => part.rendition === 'video');
    expect((video.at(-1)!.dts + video.at(-1)!.duration) / 90).toBeCloseTo(5_000, -1);
    expect(facts).toMatchObject([
      { type: 'RenditionStarted', rendition: 'video', codecs: 'avc1.64001f', width: 1280, height: 720 },
      { type: 'RenditionStarted', rendition: 'audio', codecs: 'mp4a.40.2', channels: 2 },
    ]);
    expect(await metric('millrace_transcode_parts_total{kind="video"}')).toBe(video.length);
    expect(await metric('millrace_transcode_sources')).toBe(0);
    await service[Symbol.asyncDispose]();
    expect(clock.pending).toBe(0);
  });

  it('ends a broadcast that was too short to open a window before', async () => {
    const { writer, service, assign, push, clock } = await aWorker();
    const claim = assign();
    await push(claim, aSource({ durationMs: 700 }));
    expect(writer.opens).toEqual([]);
    claim.end('ended');
    await clock.advance(0);
    expect(writer.parts.filter((part) => part.rendition === 'video')).toHaveLength(4);
    expect(writer.ended).toHaveLength(1);
    await service[Symbol.asyncDispose]();
  });

  it('renews its lease with the time that delivery has of every rendition', async () => {
    const { told, service, assign, push } = await aWorker();
    await push(assign(), aSource({ durationMs: 4_000 }));
    expect(told.lost).toEqual([]);
    expect(told.heartbeats.length).toBeGreaterThanOrEqual(15);
    expect(told.heartbeats[0]).toBeUndefined();
    expect(told.heartbeats.at(-1)).toBeGreaterThan(3_300);
    await service[Symbol.asyncDispose]();
  });

  it('closes the open parts when the publisher is interrupted, and leaves the window open', async () => {
    const { writer, service, assign, push, clock } = await aWorker();
    const claim = assign();
    await push(claim, aSource({ durationMs: 3_100 }));
    claim.interrupted();
    await clock.advance(0);
    const ends = ['video', 'audio'].map((name) => writer.parts.findLast((part) => part.rendition === name)!);
    expect((ends[0]!.dts + ends[0]!.duration) / 90).toBeGreaterThanOrEqual(3_095);
    expect((ends[1]!.dts + ends[1]!.duration) / 48).toBeGreaterThanOrEqual(3_095);
    expect(writer.ended).toEqual([]);
    await service[Symbol.asyncDispose]();
  });

  it('gives its source up when a higher epoch has the window', async () => {
    const { writer, told, service, assign, push } = await aWorker();
    const claim = assign();
    const tags = aSource({ durationMs: 4_000 });
    await push(claim, tags.slice(0, 200));
    writer.refuseWith({ kind: 'stale-epoch', current: 1_700_000_000_999_999 as Epoch });
    await push(claim, tags.slice(200));
    expect(told.lost).toEqual(['worker-released: stale-epoch']);
    await service[Symbol.asyncDispose]();
  });

  it('slows its publisher while delivery is away, and goes on without a gap', async () => {
    const { writer, told, service, assign, push, clock, metric } = await aWorker({
      TRANSCODE_MAX_QUEUED_BYTES: '262144',
    });
    const claim = assign();
    const tags = aSource({ durationMs: 6_000, frameBytes: 10_000 });
    const [before, after] = [tags.slice(0, 200), tags.slice(200)];
    await push(claim, before);
    const { drains } = told;
    const pauses = await metric('millrace_transcode_source_pauses_total');
    writer.refuseWith({ kind: 'unavailable', message: 'restarting' });
    const slowed = after.findIndex((tag) => !claim.tag(tag));
    expect(slowed).toBeGreaterThan(0);
    await clock.advance(200);
    expect(told.drains).toBe(drains);
    writer.refuseWith(undefined);
    await clock.advance(1_000);
    expect(told.drains).toBe(drains + 1);
    await push(claim, after.slice(slowed + 1));
    const video = writer.parts.filter((part) => part.rendition === 'video');
    for (const [i, part] of video.entries()) {
      const next = video[i + 1];
      if (next) expect(next.dts).toBe(part.dts + part.duration);
    }
    expect(told.lost).toEqual([]);
    expect(await metric('millrace_transcode_source_pauses_total')).toBe(pauses + 1);
    await service[Symbol.asyncDispose]();
  });

  it('gives its sources back on a drain, with every cut part written, and parks no more', async () => {
    const { writer, told, workers, service, assign, push, clock } = await aWorker();
    await push(assign(), aSource({ durationMs: 3_000 }));
    const before = writer.parts.length;
    await service[Symbol.asyncDispose]();
    await clock.advance(0);
    expect(told.lost).toEqual(['worker-released: draining']);
    expect([workers.idle, writer.parts.length]).toEqual([0, before]);
    expect(service.readiness().ready).toBe(false);
  });

  it('does not hold up a drain for a delivery that does not answer', async () => {
    const { writer, told, service, assign, push, clock } = await aWorker({ TRANSCODE_DRAIN_MS: '2000' });
    const claim = assign();
    const tags = aSource({ durationMs: 3_000 });
    await push(claim, tags.slice(0, 200));
    writer.refuseWith({ kind: 'unavailable', message: 'gone' });
    await push(claim, tags.slice(200));
    const closed = service[Symbol.asyncDispose]();
    await clock.advance(2_000);
    await closed;
    expect(told.lost).toEqual(['worker-released: draining']);
  });

  it('writes the tail of a source that another publish takes over, in every rendition up to the same segment', async () => {
    const tags = aSource({ durationMs: 4_500, gopFrames: 30 });
    for (let cut = tags.findIndex((tag) => tag.timestampMs > 3_900); cut < tags.length; cut++) {
      const { writer, service, assign, push } = await aWorker();
      const first = assign();
      await push(first, tags.slice(0, cut));
      first.end('superseded');
      const epoch = (anAssignment().epoch + 1) as Epoch;
      await push(assign({ epoch, publishId: 'pub_other' as PublishId }), tags);
      const [video, audio] = ['video', 'audio'].map((name) => writer.parts.filter((part) => part.rendition === name));
      const segments = (parts = video) => [...new Set(parts?.map((part) => `${part.epoch}/${part.segment}`))];
      expect(segments(audio)).toEqual(segments(video));
      const end = video!.findLast((part) => part.epoch < epoch)!;
      const lastMs = tags.slice(0, cut).findLast((tag) => tag.kind === 'video-frame')!.timestampMs;
      expect((end.dts + end.duration) / 90).toBeGreaterThan(lastMs);
      await service[Symbol.asyncDispose]();
    }
  });

  it('takes over from another worker without a gap or a repeat', async () => {
    const tags = aSource({ durationMs: 7_000, gopFrames: 30 });
    const predecessor = await aWorker();
    const { writer } = predecessor;
    const middle = tags.findIndex((tag) => tag.timestampMs > 4_300);
    await predecessor.push(predecessor.assign(), tags.slice(0, middle));
    await predecessor.service[Symbol.asyncDispose]();
    const packaged = predecessor.told.heartbeats.at(-1) ?? 0;
    const keyframe = tags.findLastIndex(
      (tag) => tag.kind === 'video-frame' && tag.keyframe && tag.timestampMs <= packaged - 500,
    );
    const replay = [...tags.slice(0, 2), ...tags.slice(keyframe)];
    const epoch = (anAssignment().epoch + 1) as Epoch;
    const { service, assign, push } = await aWorker({}, writer);
    await push(assign({ epoch, firstTimestampMs: replay[2]!.timestampMs }), replay);
    expect(writer.opens).toHaveLength(2);
    for (const name of ['video', 'audio']) {
      const parts = writer.parts.filter((part) => part.rendition === name);
      expect(new Set(parts.map((part) => part.epoch)).size).toBe(2);
      for (const [i, part] of parts.entries()) {
        const next = parts[i + 1];
        if (next) expect(next.dts).toBe(part.dts + part.duration);
      }
    }
    await service[Symbol.asyncDispose]();
  });
});
