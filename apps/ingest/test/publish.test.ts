import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventLog } from '@millrace/eventlog';
import { record } from '@millrace/eventlog';
import { openMemoryEventLog } from '@millrace/eventlog/testing';
import { liveStreamsTopic } from '@millrace/events';
import { nextEpoch } from '@millrace/ids';
import { describe, expect, it } from 'vitest';
import { publishWithFfmpeg } from './ffmpeg.ts';
import { eventually, openIngest, ownerId, type SeenSource, type TestIngest } from './harness.ts';

const urlOf = (ingest: TestIngest, key: string) => `rtmp://127.0.0.1:${ingest.service.rtmpPort}/live/${key}`;
const types = (ingest: TestIngest) => ingest.facts.map((fact) => fact.type);
const kindsOf = (source: SeenSource | undefined) =>
  source?.seen.map((item) => (typeof item === 'string' ? item : item.kind)) ?? [];
const hasVideo = (source: SeenSource | undefined) => kindsOf(source).includes('video-frame');

describe('a publish by real ffmpeg', () => {
  it('reaches a worker as sequence headers, then frames from a keyframe on, and ends when the encoder stops', async () => {
    await using ingest = await openIngest();
    const { streamId, key } = await ingest.addStream();
    await using encoder = publishWithFfmpeg(urlOf(ingest, key), { seconds: 3 });
    expect(await encoder.exited, encoder.output()).toBe(0);
    await eventually(() => types(ingest).includes('StreamEnded'), 'StreamEnded');
    expect(types(ingest)).toEqual(['StreamPublished', 'StreamEnded']);
    expect(ingest.facts[1]).toMatchObject({ reason: 'encoder-stopped', stream_id: streamId });
    const source = ingest.sources[0]!;
    expect(source.assignment).toMatchObject({ streamId, latencyMode: 'low' });
    const kinds = kindsOf(source);
    expect(kinds.slice(0, 3).sort()).toEqual(['audio-config', 'data', 'video-config']);
    expect(kinds.filter((kind) => kind === 'video-frame')).toHaveLength(75);
    expect(kinds.at(-1)).toBe('ended');
    expect(ingest.logged.join('\n')).not.toContain(key);
  });

  it('with a wrong, revoked or expired key, or for a deleted stream, is refused before Publish.Start', async () => {
    await using ingest = await openIngest();
    const { streamId, key, keyId } = await ingest.addStream();
    await ingest.revoke(streamId, { key, keyId });
    const expired = await ingest.addKey(streamId, { expires_at_ms: Date.now() - 1 });
    const gone = await ingest.addStream();
    await ingest.deleteStream(gone.streamId);
    const keys = {
      'unknown-key': 'mk_wrong',
      'revoked-key': key,
      'expired-key': expired.key,
      'unknown-stream': gone.key,
    };
    for (const [reason, wrong] of Object.entries(keys)) {
      await using encoder = publishWithFfmpeg(urlOf(ingest, wrong), { seconds: 1 });
      expect(await encoder.exited).not.toBe(0);
      expect(encoder.output()).toMatch(/Server error: The (stream key|stream of this key)/);
      expect(await ingest.metric('millrace_ingest_publishes_refused_total', `"${reason}"`), reason).toBe(1);
    }
    expect(ingest.facts).toEqual([]);
    expect(ingest.sources).toEqual([]);
  });

  it('is kicked at once when its key is revoked or its stream deleted', async () => {
    await using ingest = await openIngest();
    for (const how of ['key-revoked', 'stream-deleted'] as const) {
      const stream = await ingest.addStream();
      await using encoder = publishWithFfmpeg(urlOf(ingest, stream.key));
      const source = () => ingest.sources.find((s) => s.assignment.streamId === stream.streamId);
      await eventually(() => hasVideo(source()), 'video');
      const sinceMs = Date.now();
      await (how === 'key-revoked' ? ingest.revoke(stream.streamId, stream) : ingest.deleteStream(stream.streamId));
      await encoder.exited;
      expect(Date.now() - sinceMs).toBeLessThan(5_000);
      await eventually(
        () => ingest.facts.at(-1)?.stream_id === stream.streamId && types(ingest).at(-1) === 'StreamEnded',
        'StreamEnded',
      );
      expect(ingest.facts.at(-1)).toMatchObject({ reason: how, stream_id: stream.streamId });
      expect(kindsOf(source()).at(-1)).toBe('ended');
    }
  });

  it('takes over at once with the same key, and another key is refused while it is live', async () => {
    await using ingest = await openIngest();
    const { streamId, key } = await ingest.addStream();
    const other = await ingest.addKey(streamId);
    await using first = publishWithFfmpeg(urlOf(ingest, key));
    await eventually(() => hasVideo(ingest.sources[0]), 'video of the first');
    await using stranger = publishWithFfmpeg(urlOf(ingest, other.key), { seconds: 1 });
    expect(await stranger.exited).not.toBe(0);
    expect(stranger.output()).toContain('live with another stream key');
    await using _second = publishWithFfmpeg(urlOf(ingest, key));
    await eventually(() => hasVideo(ingest.sources[1]), 'video of the second');
    expect(await first.exited).not.toBe(null);
    expect(types(ingest)).toEqual(['StreamPublished', 'StreamResumed']);
    expect(kindsOf(ingest.sources[0]).at(-1)).toBe('superseded');
    const [a, b] = ingest.sources;
    expect(b!.assignment.epoch).toBeGreaterThan(a!.assignment.epoch);
    expect(b!.assignment.publishId).not.toBe(a!.assignment.publishId);
  });

  it('that breaks off is waited for, resumes in the window, and ends when the window has passed', async () => {
    await using ingest = await openIngest({ env: { INGEST_RECONNECT_WINDOW_MS: '3000' } });
    const { key } = await ingest.addStream();
    await using first = publishWithFfmpeg(urlOf(ingest, key));
    await eventually(() => hasVideo(ingest.sources[0]), 'video');
    first.process.kill('SIGKILL');
    await eventually(() => types(ingest).includes('StreamInterrupted'), 'StreamInterrupted');
    expect(kindsOf(ingest.sources[0]).at(-1)).toBe('interrupted');
    await using _second = publishWithFfmpeg(urlOf(ingest, key));
    await eventually(() => types(ingest).includes('StreamResumed'), 'StreamResumed');
    expect(kindsOf(ingest.sources[0]).at(-1)).toBe('superseded');
    await eventually(() => hasVideo(ingest.sources[1]), 'video');
    _second.process.kill('SIGKILL');
    await eventually(() => types(ingest).includes('StreamEnded'), 'StreamEnded');
    expect(types(ingest)).toEqual([
      'StreamPublished',
      'StreamInterrupted',
      'StreamResumed',
      'StreamInterrupted',
      'StreamEnded',
    ]);
    expect(ingest.facts.at(-1)).toMatchObject({ reason: 'reconnect-window-passed' });
    expect(kindsOf(ingest.sources[1]).slice(-2)).toEqual(['interrupted', 'ended']);
  });

  it('goes to the next worker with its cached pictures when its worker falls silent', async () => {
    await using ingest = await openIngest({ parked: 0 });
    const { key } = await ingest.addStream();
    await using _ = publishWithFfmpeg(urlOf(ingest, key), { extra: ['-g', '100'] });
    await eventually(() => types(ingest).includes('StreamPublished'), 'StreamPublished');
    await new Promise((resolve) => setTimeout(resolve, 300));
    ingest.park('first'); // a source that nobody could take is offered as soon as someone parks
    await eventually(() => hasVideo(ingest.sources[0]), 'video');
    ingest.park('second');
    const sinceMs = Date.now();
    ingest.sources[0]!.silent = true;
    await eventually(() => hasVideo(ingest.sources[1]), 'video at the second worker');
    expect(Date.now() - sinceMs).toBeLessThan(10_000);
    const [a, b] = ingest.sources;
    expect(b!.workerId).toBe('second');
    expect(b!.assignment.publishId).toBe(a!.assignment.publishId);
    expect(b!.assignment.epoch).toBeGreaterThan(a!.assignment.epoch);
    expect(b!.assignment.originWallMs).toBe(a!.assignment.originWallMs);
    expect(kindsOf(b).slice(0, 3).sort()).toEqual(['audio-config', 'data', 'video-config']);
    const first = b!.seen.find((tag) => typeof tag !== 'string' && tag.kind === 'video-frame');
    expect(first).toMatchObject({ keyframe: true });
    expect(kindsOf(a).at(-1)).toBe('lost');
  });

  it('is slowed while its worker is behind, and goes on when it has caught up', async () => {
    await using ingest = await openIngest();
    const { key } = await ingest.addStream();
    await using _ = publishWithFfmpeg(urlOf(ingest, key));
    await eventually(() => hasVideo(ingest.sources[0]), 'video');
    const source = ingest.sources[0]!;
    source.ready = false;
    await eventually(async () => (await ingest.metric('millrace_ingest_publisher_pauses_total')) > 0, 'a pause');
    const held = source.seen.length;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(source.seen.length).toBeLessThanOrEqual(held + 2);
    source.ready = true;
    source.link.resume();
    await eventually(() => source.seen.length > held + 5, 'more tags');
  });

  it('is given up when another ingest holds the stream under a higher epoch', async () => {
    await using ingest = await openIngest();
    const { streamId, key, keyId } = await ingest.addStream();
    await using encoder = publishWithFfmpeg(urlOf(ingest, key));
    await eventually(() => hasVideo(ingest.sources[0]), 'video');
    const { epoch, publishId } = ingest.sources[0]!.assignment;
    const fact = {
      stream_id: streamId,
      owner_id: ownerId,
      publish_id: publishId,
      instance_id: 'other',
      at_ms: 1,
      key_id: keyId,
    };
    await ingest.eventLog.publish([
      record(liveStreamsTopic, { type: 'StreamPublished', ...fact, epoch: nextEpoch(Date.now(), epoch) }),
    ]);
    await encoder.exited;
    await eventually(() => kindsOf(ingest.sources[0]).at(-1) === 'superseded', 'superseded');
  });

  it('arrives whole while reads are put together, and its break is noticed', async () => {
    await using ingest = await openIngest({ env: { INGEST_COALESCE_ABOVE_READS: '0' } });
    const { key } = await ingest.addStream();
    await using quick = publishWithFfmpeg(urlOf(ingest, key), { seconds: 3 });
    expect(await quick.exited, quick.output()).toBe(0);
    await eventually(() => types(ingest).includes('StreamEnded'), 'StreamEnded');
    expect(kindsOf(ingest.sources[0]).filter((kind) => kind === 'video-frame')).toHaveLength(75);
    await using broken = publishWithFfmpeg(urlOf(ingest, key));
    await eventually(() => hasVideo(ingest.sources[1]), 'video');
    broken.process.kill('SIGKILL');
    await eventually(() => types(ingest).includes('StreamInterrupted'), 'StreamInterrupted', 1_000);
    expect(await ingest.metric('millrace_ingest_coalesced_reads_total')).toBeGreaterThan(10);
  });

  it('over RTMPS reaches a worker', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rtmps-'));
    const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-keyout',
        keyFile,
        '-out',
        certFile,
        '-days',
        '2',
        '-subj',
        '/CN=localhost',
      ],
      { stdio: 'ignore' },
    );
    try {
      await using ingest = await openIngest({
        env: { RTMPS_PORT: '0', RTMPS_CERT_FILE: certFile, RTMPS_KEY_FILE: keyFile },
      });
      const { key } = await ingest.addStream();
      await using encoder = publishWithFfmpeg(`rtmps://127.0.0.1:${ingest.service.rtmpsPort}/live/${key}`, {
        seconds: 2,
      });
      expect(await encoder.exited, encoder.output()).toBe(0);
      await eventually(() => types(ingest).includes('StreamEnded'), 'StreamEnded');
      expect(kindsOf(ingest.sources[0]).filter((kind) => kind === 'video-frame')).toHaveLength(50);
      await eventually(() => ingest.logged.length > 0, 'log');
      expect(await ingest.metric('millrace_ingest_connections_total', '"rtmps"')).toBe(1);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the key table', () => {
  it('that is not ready is waited for, then the encoder is told to try again; it is never read as empty', async () => {
    const inner = openMemoryEventLog();
    const gate = gatedLog(inner);
    await using ingest = await openIngest({ eventLog: gate.log, env: { INGEST_KEY_TABLE_WAIT_MS: '1500' } });
    const { key } = await ingest.addStream();
    expect(ingest.service.readiness().ready).toBe(false);
    await using early = publishWithFfmpeg(urlOf(ingest, key), { seconds: 1 });
    expect(await early.exited).not.toBe(0);
    expect(early.output()).toContain('try again');
    await using waiting = publishWithFfmpeg(urlOf(ingest, key), { seconds: 1 });
    await eventually(async () => (await ingest.metric('millrace_ingest_open_connections')) === 1, 'a connection');
    gate.open();
    expect(await waiting.exited, waiting.output()).toBe(0);
    await inner[Symbol.asyncDispose]();
  });
});

describe('a drain', () => {
  it('stops accepting, disconnects publishers, writes their end and leaves no socket', async () => {
    const eventLog = openMemoryEventLog();
    const ingest = await openIngest({ eventLog });
    const { key } = await ingest.addStream();
    await using encoder = publishWithFfmpeg(urlOf(ingest, key));
    await eventually(() => hasVideo(ingest.sources[0]), 'video');
    const sinceMs = Date.now();
    await ingest[Symbol.asyncDispose]();
    expect(Date.now() - sinceMs).toBeLessThan(10_000);
    await encoder.exited;
    await eventually(() => types(ingest).includes('StreamEnded'), 'StreamEnded');
    expect(ingest.facts.at(-1)).toMatchObject({ type: 'StreamEnded', reason: 'draining' });
    expect(kindsOf(ingest.sources[0]).at(-1)).toBe('ended');
    await using refused = publishWithFfmpeg(urlOf(ingest, key), { seconds: 1 });
    expect(await refused.exited).not.toBe(0);
    await eventLog[Symbol.asyncDispose]();
  });
});

/** A log whose tables are not ready until `open`. */
function gatedLog(inner: EventLog): { readonly log: EventLog; open(): void } {
  let opened = false;
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const log: EventLog = {
    publish: (records) => inner.publish(records),
    consume: (options) => inner.consume(options),
    follow: (options) => inner.follow(options),
    identity: (signal) => inner.identity(signal),
    table(topic) {
      const table = inner.table(topic);
      return new Proxy(table, {
        get(target, property) {
          if (property === 'ready') return gate.then(() => target.ready);
          if (property === 'isReady') return opened && target.isReady;
          const value: unknown = Reflect.get(target, property, target);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
    },
    [Symbol.asyncDispose]: async () => {},
  };
  return {
    log,
    open: () => {
      opened = true;
      open();
    },
  };
}
