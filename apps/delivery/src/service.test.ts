import { createTokenSigner, generateSigningKey } from '@millrace/auth';
import { record } from '@millrace/eventlog';
import { type LiveStreamFact, liveStreamsTopic, revokedTokensTopic, signingKeysTopic } from '@millrace/events';
import { checkMediaPlaylist, readMediaPlaylist } from '@millrace/hls/testing';
import { systemIdSource } from '@millrace/ids';
import { renderMetrics } from '@millrace/metrics';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DeliveryKit, openDeliveryKit } from '../test/delivery-kit.ts';
import { Player, urisOf } from '../test/player.ts';
import { SyntheticBroadcast, type SyntheticOptions } from '../test/synthetic-broadcast.ts';

let kit: DeliveryKit;
beforeEach(async () => {
  kit = await openDeliveryKit();
});
afterEach(() => kit[Symbol.asyncDispose]());

async function until(done: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let i = 0; i < 2_000; i++) {
    if (await done()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error(`never came: ${what}`);
}

async function broadcast(
  parts: number,
  stream: { visibility?: 'public' | 'private' } = {},
  options: Partial<SyntheticOptions> = {},
) {
  const { streamId, playbackId } = await kit.define(stream);
  const live = new SyntheticBroadcast(kit.service.writer, { streamId, ...options });
  await live.start();
  await live.parts(parts);
  return { streamId, playbackId, live };
}

const archived = () =>
  until(async () => (await kit.metric('millrace_delivery_archive_queue_jobs')) === 0, 'an idle archive');

describe('old segments', () => {
  it('and their parts come from the media store, byte for byte, when memory has let them go', async () => {
    const { playbackId, live } = await broadcast(25, {}, { partBytes: 1000 });
    const player = new Player(kit.origin, playbackId);
    const { url, text } = await player.playlist('video');
    const uris = urisOf(url, text);
    const read = async (uri: string | undefined, range?: string) =>
      (await fetch(uri ?? '', range === undefined ? {} : { headers: { range } })).text();
    const before = await Promise.all([
      read(uris.segments[0]),
      read(uris.parts[3]),
      read(uris.segments[0], 'bytes=2500-3499'),
    ]);
    const inMemory = await kit.metric('millrace_delivery_media_memory_bytes');
    for (let i = 0; i < 6; i++) {
      await archived();
      await live.parts(10);
    }
    await archived();
    expect(await kit.metric('millrace_delivery_media_memory_bytes')).toBeLessThan(inMemory * 2);
    const after = await Promise.all([
      read(uris.segments[0]),
      read(uris.parts[3]),
      read(uris.segments[0], 'bytes=2500-3499'),
    ]);
    expect(after).toEqual(before);
    expect(await kit.metric('millrace_delivery_media_bytes_out_total', { source: 'store' })).toBe(10_000 + 1000 + 1000);
    const head = await fetch(uris.segments[0] ?? '', { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '10000']);
  });

  it('leave the store when nobody may ask for them any more', async () => {
    const { live } = await broadcast(10);
    for (let i = 0; i < 40; i++) {
      await archived();
      await live.parts(10);
    }
    await archived();
    expect(kit.store.objects.size).toBeLessThan(2 * 20);
    await live.end();
    await kit.clock.advance(121_000);
    await archived();
    expect(kit.store.objects.size).toBe(0);
  });

  it('stay in memory while the store is full, and no player notices', async () => {
    kit.store.failWith({ kind: 'full', message: 'no space' });
    const { playbackId, live } = await broadcast(10);
    for (let i = 0; i < 8; i++) {
      await archived();
      await live.parts(10);
    }
    const { url, text } = await new Player(kit.origin, playbackId).playlist('video');
    for (const uri of urisOf(url, text).segments) expect((await fetch(uri)).status).toBe(200);
    expect(await kit.metric('millrace_delivery_archive_writes_total', { outcome: 'full' })).toBeGreaterThan(0);
  });

  it('of an earlier run are swept at the start', async () => {
    await kit.store.put('live/delivery-1/old/video/1.m4s', [new Uint8Array(1)]);
    await kit.store.put('live/delivery-2/theirs/video/1.m4s', [new Uint8Array(1)]);
    const again = await openDeliveryKit({}, { store: kit.store });
    expect([...kit.store.objects.keys()]).toEqual(['live/delivery-2/theirs/video/1.m4s']);
    await again[Symbol.asyncDispose]();
  });
});

describe('a private stream', () => {
  async function signer() {
    const pair = await generateSigningKey();
    await kit.eventLog.publish([
      record(signingKeysTopic, { kid: pair.kid, public_jwk: { ...pair.publicJwk }, created_at_ms: 1 }),
    ]);
    return createTokenSigner({ ...pair, clock: kit.clock, idSource: systemIdSource });
  }

  it('plays with a token in its path, and all its URIs keep the token', async () => {
    const tokens = await signer();
    const { playbackId } = await broadcast(25, { visibility: 'private' });
    const { token } = await tokens.issuePlaybackToken({ playbackId, expiresInS: 60 });
    const player = new Player(kit.origin, playbackId, token);
    await until(async () => (await fetch(player.entry)).status === 200, 'the signing key');
    const { url, text, response } = await player.playlist('video');
    expect(response.headers.get('cache-control')).toBe('no-cache');
    const part = await fetch(urisOf(url, text).parts[0] ?? '');
    expect([part.status, part.headers.get('cache-control')]).toEqual([200, 'private, max-age=3600, immutable']);
    expect(part.url).toContain(token);
    await kit.clock.advance(61_000);
    expect((await fetch(url)).status).toBe(403);
  });

  it('is refused without a token, with a bad one, and with one for another stream', async () => {
    const tokens = await signer();
    const { playbackId } = await broadcast(25, { visibility: 'private' });
    const other = await tokens.issuePlaybackToken({ playbackId: 'play_other', expiresInS: 60 });
    await until(() => kit.service.readiness().ready, 'readiness');
    for (const token of [undefined, 'a.b.c', other.token]) {
      const response = await fetch(new Player(kit.origin, playbackId, token).entry);
      expect([token, response.status, response.headers.get('cache-control')]).toEqual([token, 403, 'no-store']);
    }
  });

  it('stops playing at once when its token is revoked', async () => {
    const tokens = await signer();
    const { playbackId } = await broadcast(25, { visibility: 'private' });
    const { token, jti } = await tokens.issuePlaybackToken({ playbackId, expiresInS: 60 });
    const player = new Player(kit.origin, playbackId, token);
    await until(async () => (await fetch(player.entry)).status === 200, 'the signing key');
    const { url } = await player.playlist('video');
    await kit.eventLog.publish([record(revokedTokensTopic, { jti, revoked_at_ms: 1, expires_at_ms: 2 ** 50 })]);
    await until(async () => (await fetch(url)).status === 403, 'the revocation');
  });
});

describe('a change of the stream', () => {
  it('to private takes effect at once, on held requests too', async () => {
    const { streamId, playbackId, live } = await broadcast(25);
    const { url } = await new Player(kit.origin, playbackId).playlist('video');
    const { segment, part } = live.next('video');
    const held = fetch(`${url}?_HLS_msn=${segment}&_HLS_part=${part}`);
    await until(async () => (await kit.metric('millrace_delivery_waiting_requests')) === 1, 'a held request');
    await kit.redefine(streamId, { visibility: 'private' });
    expect((await held).status).toBe(403);
    expect((await fetch(url)).status).toBe(403);
  });

  it('that deletes it closes the window, refuses the writer and removes the files', async () => {
    const { streamId, playbackId, live } = await broadcast(25);
    const { url, text } = await new Player(kit.origin, playbackId).playlist('video');
    await archived();
    expect(kit.store.objects.size).toBe(4);
    await kit.redefine(streamId, undefined);
    for (const uri of [url, ...urisOf(url, text).parts.slice(0, 2)]) expect((await fetch(uri)).status).toBe(404);
    expect(await kit.service.writer.part(live.write('video'))).toMatchObject({ error: { kind: 'not-open' } });
    expect(await kit.service.writer.open(live.open)).toMatchObject({ error: { kind: 'unknown-stream' } });
    await archived();
    expect(kit.store.objects.size).toBe(0);
  });
});

describe('the end of a broadcast', () => {
  const fact = (streamId: string, epoch: number, reason: 'encoder-stopped' | 'superseded'): LiveStreamFact => ({
    type: 'StreamEnded',
    stream_id: streamId,
    owner_id: 'own_1',
    epoch,
    publish_id: 'pub_1',
    instance_id: 'ingest-1',
    at_ms: 1,
    reason,
  });
  const ended = async (url: string) => readMediaPlaylist(await (await fetch(url)).text()).ended;

  it('comes as a fact when the writer is gone, a little later than the fact', async () => {
    const { streamId, playbackId, live } = await broadcast(25);
    const { url } = await new Player(kit.origin, playbackId).playlist('video');
    await kit.eventLog.publish([record(liveStreamsTopic, fact(streamId, 1, 'encoder-stopped'))]);
    await kit.clock.advance(1_000);
    await live.parts(1);
    expect(await ended(url)).toBe(false);
    await until(async () => {
      await kit.clock.advance(500);
      return ended(url);
    }, 'the end');
    expect(await kit.metric('millrace_delivery_windows_ended_total', { reason: 'stream-ended' })).toBe(1);
  });

  it('of an older epoch, or because a newer publish took over, leaves the window open', async () => {
    const { streamId, playbackId, live } = await broadcast(25);
    const { url } = await new Player(kit.origin, playbackId).playlist('video');
    const successor = new SyntheticBroadcast(kit.service.writer, { streamId, epoch: 5 });
    await successor.start();
    await kit.eventLog.publish([
      record(liveStreamsTopic, fact(streamId, 1, 'encoder-stopped')),
      record(liveStreamsTopic, fact(streamId, 5, 'superseded')),
    ]);
    for (let i = 0; i < 10; i++) await kit.clock.advance(500);
    await successor.parts(1);
    expect(await ended(url)).toBe(false);
    expect(await kit.service.writer.part(live.write('video'))).toMatchObject({
      error: { kind: 'stale-epoch', current: 5 },
    });
  });

  it('comes by itself when a window gets nothing for very long', async () => {
    const { playbackId } = await broadcast(25);
    const { url } = await new Player(kit.origin, playbackId).playlist('video');
    await kit.clock.advance(601_000);
    expect(await ended(url)).toBe(true);
  });
});

describe('a take-over by another worker', () => {
  it('shows in no playlist', async () => {
    const { streamId, playbackId } = await broadcast(13);
    const { url, text } = await new Player(kit.origin, playbackId).playlist('video');
    const successor = new SyntheticBroadcast(kit.service.writer, { streamId, epoch: 2 });
    const state = await successor.start();
    expect(state.fresh).toBe(false);
    await successor.parts(9);
    const after = await (await fetch(url)).text();
    expect(checkMediaPlaylist(after, text)).toEqual([]);
    expect(after).not.toContain('DISCONTINUITY\n');
  });
});

describe('the service', () => {
  it('is ready when its tables are, and says what it waits for until then', async () => {
    await until(() => kit.service.readiness().ready, 'readiness');
    expect(kit.service.readiness()).toEqual({ ready: true, reasons: [] });
  });

  it('names every metric after itself, with bounded labels', async () => {
    await broadcast(25);
    const { body } = await renderMetrics([kit.registry]);
    const names = [...body.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]);
    expect(names.length).toBeGreaterThan(10);
    for (const [name, type] of names) {
      expect(name).toMatch(type === 'counter' ? /^millrace_delivery_[a-z_]+_total$/ : /^millrace_delivery_[a-z_]+$/);
    }
    expect(body).not.toMatch(/(str|play|ses|pub)_[0-9a-z]{26}/);
  });

  it('closes twice without harm', async () => {
    await kit.service[Symbol.asyncDispose]();
    await kit.service[Symbol.asyncDispose]();
  });
});
