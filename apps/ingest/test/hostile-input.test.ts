/** What is known to break node-media-server 4.4.3, and every rule of the guard, against the real listener. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import context from 'node-media-server/src/core/context.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, openIngest, type TestIngest } from './harness.ts';
import {
  command,
  connectCommand,
  handshakeBytes,
  keyframe,
  message,
  publishCommand,
  RtmpClient,
  setChunkSize,
} from './rtmp-client.ts';

let ingest: TestIngest;
let port: number;
const handlersBefore = { term: process.listenerCount('SIGTERM'), int: process.listenerCount('SIGINT') };
beforeAll(async () => {
  ingest = await openIngest({ parked: 64 });
  port = ingest.service.rtmpPort;
});
afterAll(() => ingest[Symbol.asyncDispose]());

/** The connection ends for `reason`, and the server goes on. */
async function endsFor(client: RtmpClient, reason: string): Promise<void> {
  await client.untilClosed();
  expect(await ingest.metric('millrace_ingest_connections_ended_total', `"${reason}"`)).toBeGreaterThan(0);
  using next = await RtmpClient.ready(port);
  expect(next.results).toHaveLength(2);
}

async function publishing(): Promise<{ client: RtmpClient; streamId: string; key: string }> {
  const { streamId, key } = await ingest.addStream();
  const client = await RtmpClient.publishing(port, key);
  expect(client.statuses).toEqual(['NetStream.Publish.Start']);
  return { client, streamId, key };
}
const sourceOf = (streamId: string) => ingest.sources.find((s) => s.assignment.streamId === streamId);

describe('input that kills node-media-server', () => {
  it('row 1: an HTTP request on the RTMP port ends one connection', async () => {
    using client = await RtmpClient.open(port);
    client.raw(Buffer.from('GET /a!/b.flv HTTP/1.1\r\nHost: x\r\n\r\n'));
    await endsFor(client, 'bad-handshake');
  });

  it('row 2: a WebSocket upgrade on the RTMP port ends one connection', async () => {
    using client = await RtmpClient.open(port);
    client.raw(Buffer.from('GET /a!/b! HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'));
    await endsFor(client, 'bad-handshake');
  });

  it('row 3: Set Chunk Size with an empty body ends one connection', async () => {
    using client = await RtmpClient.ready(port);
    client.raw(message(1, Buffer.alloc(0), { csid: 2 }));
    await endsFor(client, 'bad-control');
  });

  it('row 4: a zero-length video message is left out and the publish goes on', async () => {
    const { client, streamId } = await publishing();
    using _ = client;
    client.raw(message(9, Buffer.alloc(0), { csid: 6, streamId: 1 }));
    client.raw(message(8, Buffer.alloc(0), { csid: 4, streamId: 1 }));
    client.raw(message(9, keyframe(), { csid: 6, streamId: 1, timestamp: 40 }));
    await eventually(() => (sourceOf(streamId)?.seen.length ?? 0) === 1, 'the frame behind it');
    expect(await ingest.metric('millrace_ingest_messages_dropped_total', '"empty-media"')).toBeGreaterThanOrEqual(2);
  });

  it('row 5: a tcUrl that is no URL ends one connection', async () => {
    for (const tcUrl of ['nonsense', '', 'http://x/live', 'rtmp://', 'rtmp://[::/live']) {
      using client = await RtmpClient.open(port);
      client.raw(Buffer.concat([handshakeBytes(), connectCommand({ tcUrl })]));
      await endsFor(client, 'bad-tc-url');
    }
  });

  it('row 6: a player cannot send media into a stream: play is refused and closed', async () => {
    const { client: publisher, streamId } = await publishing();
    using _ = publisher;
    publisher.raw(message(9, keyframe(), { csid: 6, streamId: 1 }));
    await eventually(() => sourceOf(streamId)?.seen.length === 1, 'the frame of the publisher');
    using player = await RtmpClient.ready(port);
    player.raw(
      Buffer.concat([command(['play', 3, null, streamId], 1), message(9, keyframe(), { csid: 6, streamId: 1 })]),
    );
    await endsFor(player, 'playback');
    expect(player.statuses).toEqual(['NetStream.Play.Failed']);
    expect(sourceOf(streamId)?.seen).toHaveLength(1);
  });

  it('row 7: a second publish on one connection ends it, and neither key is squatted', async () => {
    const { client, key } = await publishing();
    using _ = client;
    client.raw(publishCommand((await ingest.addStream()).key));
    await endsFor(client, 'second-publish');
    using again = await RtmpClient.publishing(port, key);
    expect(again.statuses).toEqual(['NetStream.Publish.Start']);
  });

  it('row 8: playing twice leaves nothing behind in the engine', async () => {
    using client = await RtmpClient.ready(port);
    client.raw(Buffer.concat([command(['play', 3, null, 'a'], 1), command(['play', 4, null, 'b'], 1)]));
    await endsFor(client, 'playback');
    expect(context.sessions.size).toBe(0);
    expect(context.broadcasts.size).toBe(0);
  });

  it('row 9: a peer that reads nothing is disconnected before its answers pile up', async () => {
    using client = await RtmpClient.ready(port);
    const { key } = await ingest.addStream();
    client.raw(publishCommand(key));
    await eventually(() => client.statuses.length > 0, 'Publish.Start');
    client.socket.pause();
    const ping = message(4, Buffer.from([0, 6, 0, 0, 0, 1]), { csid: 2 });
    const many = Buffer.concat(Array.from({ length: 20_000 }, () => ping));
    for (let i = 0; i < 60 && !client.socket.destroyed; i++) client.raw(many);
    await eventually(() => ingest.logged.some((line) => line.includes('peer-not-reading')), 'peer-not-reading', 15_000);
  });

  it('row 10: headers that claim memory get none before the publish, and a bounded amount after it', async () => {
    using early = await RtmpClient.ready(port);
    early.raw(Buffer.concat([header(10, 9, 0xffffff), header(11, 9, 0xffffff)]));
    await endsFor(early, 'media-before-publish');
    using commands = await RtmpClient.ready(port);
    commands.raw(
      Buffer.concat(
        Array.from({ length: 8 }, (_, i) => Buffer.concat([header(10 + i, 20, 16_000), Buffer.alloc(128)])),
      ),
    );
    await endsFor(commands, 'buffer-limit');
    const { client: late } = await publishing();
    using _ = late;
    late.raw(
      Buffer.concat(
        Array.from({ length: 3 }, (_, i) => Buffer.concat([header(10 + i, 9, 4_000_000), Buffer.alloc(128)])),
      ),
    );
    await endsFor(late, 'buffer-limit');
    const { client: streams } = await publishing();
    using __ = streams;
    streams.raw(
      Buffer.concat(Array.from({ length: 20 }, (_, i) => Buffer.concat([header(10 + i, 9, 1_000), Buffer.alloc(128)]))),
    );
    await endsFor(streams, 'chunk-streams');
    await eventually(async () => (await ingest.metric('millrace_ingest_buffered_bytes')) === 0, 'no claimed bytes');
  });

  it('row 11: a publish that is refused never becomes a publisher, and its media is not taken', async () => {
    using client = await RtmpClient.ready(port);
    client.raw(publishCommand('mk_unknown'));
    await client.untilClosed();
    expect(client.statuses).toEqual(['NetStream.Publish.Denied']);
    using eager = await RtmpClient.ready(port);
    eager.raw(Buffer.concat([publishCommand('mk_unknown'), message(9, keyframe(), { csid: 6, streamId: 1 })]));
    await endsFor(eager, 'media-before-publish');
  });

  it('row 12: the engine installs no signal handlers, writes no ./data and keeps no global state', () => {
    expect({ term: process.listenerCount('SIGTERM'), int: process.listenerCount('SIGINT') }).toEqual(handlersBefore);
    expect(context.sessions.size + context.broadcasts.size).toBe(0);
    const loaded = Object.keys(createRequire(import.meta.url).cache).filter((path) =>
      path.includes('node-media-server'),
    );
    expect(loaded.some((path) => path.endsWith('rtmp_session.js'))).toBe(true);
    expect(loaded.filter((path) => /store|http_server|index\.js|record|relay|notify/.test(path))).toEqual([]);
    expect(existsSync(new URL('../data', import.meta.url))).toBe(false);
  });
});

describe('what was read in its code', () => {
  it('a chunk size of 0, below 128 or above 65536 ends one connection', async () => {
    for (const size of [0, 127, 65_537, 0x7fffffff, 0xffffffff]) {
      using client = await RtmpClient.ready(port);
      client.raw(setChunkSize(size));
      await endsFor(client, 'chunk-size');
    }
  });

  it('three-byte chunk stream ids are counted as the specification says', async () => {
    const { client, streamId } = await publishing();
    using _ = client;
    const body = keyframe(10);
    const full = message(9, body, { streamId: 1 });
    client.raw(Buffer.concat([Buffer.from([0x01, 0x02, 0x03]), full.subarray(1)]));
    // The same chunk stream (64 + 2 + 3 * 256) by type 3: a second message with the same header.
    client.raw(Buffer.concat([Buffer.from([0xc1, 0x02, 0x03]), body]));
    await eventually(() => sourceOf(streamId)?.seen.length === 2, 'two frames');
  });

  it('messages go on after the 32-bit timestamp wraps', async () => {
    const { client, streamId } = await publishing();
    using _ = client;
    for (const timestamp of [0xffffffd8, 0x00000000, 0x00000028]) {
      client.raw(message(9, keyframe(300), { csid: 6, streamId: 1, timestamp }));
    }
    await eventually(() => sourceOf(streamId)?.seen.length === 3, 'three frames');
    const times = sourceOf(streamId)!.seen.map((tag) => (typeof tag === 'string' ? 0 : tag.timestampMs));
    expect(times).toEqual([0xffffffd8, 0x100000000, 0x100000028]);
  });

  it('Acknowledgements come for every window of received bytes', async () => {
    const { client } = await publishing();
    using _ = client;
    client.raw(message(5, Buffer.from([0, 1, 0, 0]), { csid: 2 }));
    for (let i = 0; i < 80; i++) client.raw(message(9, keyframe(4_000), { csid: 6, streamId: 1, timestamp: i }));
    await eventually(() => client.messages.filter((m) => m.type === 3).length >= 2, 'two Acknowledgements');
  });

  it('Publish.Start is said after the key was checked and never before a refusal', async () => {
    using client = await RtmpClient.publishing(port, 'mk_nobody');
    expect(client.statuses).toEqual(['NetStream.Publish.Denied']);
  });

  it('deleteStream and FCUnpublish end the publish at once', async () => {
    for (const values of [
      ['deleteStream', 6, null, 1],
      ['FCUnpublish', 6, null, 'x'],
    ] as const) {
      const { client, streamId } = await publishing();
      using _ = client;
      client.raw(message(9, keyframe(), { csid: 6, streamId: 1 }));
      await eventually(() => sourceOf(streamId) !== undefined, 'a source');
      client.raw(command(values, 1));
      await eventually(() => sourceOf(streamId)?.seen.at(-1) === 'ended', 'the end', 1_000);
      expect(ingest.facts.filter((f) => f.stream_id === streamId).at(-1)).toMatchObject({ reason: 'encoder-stopped' });
    }
  });

  it('a stream key is in no log line and in no answer', async () => {
    const { client, key } = await publishing();
    using _ = client;
    client.raw(command(['FCUnpublish', 6, null, key], 1));
    await client.untilClosed();
    using denied = await RtmpClient.publishing(port, 'mk_very_secret_key');
    await denied.untilClosed();
    const all =
      ingest.logged.join('\n') +
      [...client.messages, ...denied.messages].map((m) => Buffer.from(m.body).toString()).join('\n');
    expect(all).not.toContain(key);
    expect(all).not.toContain('mk_very_secret_key');
  });
});

describe('rules of the guard', () => {
  const cases: readonly [string, string, readonly Buffer[]][] = [
    ['an aggregate message', 'unknown-message', [message(22, Buffer.alloc(20))]],
    ['a shared object message', 'unknown-message', [message(19, Buffer.alloc(20))]],
    ['an unknown message type', 'unknown-message', [message(77, Buffer.alloc(20))]],
    ['an empty command', 'bad-command', [message(20, Buffer.alloc(0))]],
    ['a command that is no AMF0', 'bad-command', [message(20, Buffer.alloc(20, 0xee))]],
    ['a command longer than the limit', 'message-length', [message(20, Buffer.alloc(20_000))]],
    ['AMF0 nested too deep', 'amf-limit', [message(20, deepAmf(40))]],
    ['an AMF0 string over the limit', 'amf-limit', [command(['x', 1, 'y'.repeat(5_000)])]],
    [
      'a strict array that claims four billion values',
      'bad-command',
      [message(20, Buffer.from([2, 0, 1, 120, 10, 0xff, 0xff, 0xff, 0xff]))],
    ],
    ['a second connect', 'command-order', [connectCommand()]],
    ['too many commands', 'command-flood', Array.from({ length: 80 }, () => command(['_checkbw', 9, null]))],
    ['too many message streams', 'command-flood', Array.from({ length: 10 }, () => command(['createStream', 9, null]))],
    ['a chunk of type 3 on a new chunk stream', 'bad-chunk', [Buffer.from([0xc9, 0, 0])]],
    [
      'a type 0 chunk inside a message',
      'bad-chunk',
      [Buffer.concat([header(3, 20, 400), Buffer.alloc(128), header(3, 20, 400)])],
    ],
    ['an abort message of the wrong length', 'bad-control', [message(2, Buffer.alloc(3), { csid: 2 })]],
    ['a user control message without an event', 'bad-control', [message(4, Buffer.alloc(1), { csid: 2 })]],
    ['media before the publish', 'media-before-publish', [message(9, keyframe(), { streamId: 1 })]],
    ['metadata before the publish', 'media-before-publish', [message(18, Buffer.alloc(9), { streamId: 1 })]],
    ['a stream key of 129 characters', 'bad-command', [publishCommand('k'.repeat(129))]],
  ];
  it.each(cases)('%s ends the connection as %s', async (_name, reason, bytes) => {
    using client = await RtmpClient.ready(port);
    for (const part of bytes) client.raw(part);
    await endsFor(client, reason);
  });

  it('publish before connect, or before createStream, is out of order', async () => {
    for (const before of [[], [connectCommand()]]) {
      using client = await RtmpClient.open(port);
      client.raw(Buffer.concat([handshakeBytes(), ...before, publishCommand('mk_x')]));
      await endsFor(client, 'command-order');
    }
  });

  it('a media message over the limit ends the publisher, without its memory being taken', async () => {
    const { client } = await publishing();
    using _ = client;
    client.raw(header(6, 9, 4 * 1024 * 1024 + 1));
    await endsFor(client, 'message-length');
  });

  it('another application is answered with Connect.Rejected', async () => {
    using client = await RtmpClient.open(port);
    client.raw(Buffer.concat([handshakeBytes(), connectCommand({ app: 'vod' })]));
    await endsFor(client, 'bad-app');
    expect(client.statuses).toEqual(['NetConnection.Connect.Rejected']);
  });

  it('an encoder that offers Enhanced RTMP codecs is told that none is taken', async () => {
    using client = await RtmpClient.open(port);
    client.raw(Buffer.concat([handshakeBytes(), connectCommand({ fourCcList: ['hvc1', 'av01'] })]));
    await eventually(() => client.results.length === 1, 'an answer');
    expect(client.results[0]?.[3]).toMatchObject({ code: 'NetConnection.Connect.Success', fourCcList: [] });
  });

  it('an abort message forgets the unfinished message, and Set Chunk Size in the middle of one is honoured', async () => {
    const { client, streamId } = await publishing();
    using _ = client;
    client.raw(Buffer.concat([header(6, 9, 300), Buffer.alloc(128)]));
    client.raw(message(2, Buffer.from([0, 0, 0, 6]), { csid: 2 }));
    const body = keyframe(1_000);
    const first = message(9, body, { csid: 6, streamId: 1 });
    client.raw(first.subarray(0, 12 + 128));
    client.raw(setChunkSize(4_096));
    client.raw(Buffer.concat([Buffer.from([0xc6]), body.subarray(128)]));
    await eventually(() => sourceOf(streamId)?.seen.length === 1, 'one frame');
    expect(sourceOf(streamId)!.seen[0]).toMatchObject({ payload: new Uint8Array(body.subarray(5)) });
  });

  it('AMF3 commands and data that carry AMF0 do no harm', async () => {
    using client = await RtmpClient.ready(port);
    client.raw(message(17, Buffer.concat([Buffer.from([0]), command(['_checkbw', 9, null]).subarray(12)])));
    client.raw(command(['createStream', 3, null]));
    await eventually(() => client.results.length === 3, 'the answer behind it');
  });
});

describe('deadlines and counts', () => {
  it('a peer that never shakes hands, never publishes or falls silent is disconnected', async () => {
    await using strict = await openIngest({
      env: { INGEST_HANDSHAKE_MS: '300', INGEST_PUBLISH_MS: '900', INGEST_IDLE_MS: '800' },
    });
    const { key } = await strict.addStream();
    using mute = await RtmpClient.open(strict.service.rtmpPort);
    mute.raw(Buffer.from([3, 0, 0]));
    using idle = await RtmpClient.ready(strict.service.rtmpPort);
    using silent = await RtmpClient.publishing(strict.service.rtmpPort, key);
    silent.raw(message(9, keyframe(), { csid: 6, streamId: 1 }));
    await Promise.all([mute.untilClosed(), idle.untilClosed(), silent.untilClosed()]);
    for (const reason of ['handshake-timeout', 'publish-timeout', 'idle-timeout']) {
      expect(await strict.metric('millrace_ingest_connections_ended_total', `"${reason}"`), reason).toBe(1);
    }
    await eventually(() => strict.facts.at(-1)?.type === 'StreamInterrupted', 'StreamInterrupted');
    expect(strict.facts.at(-1)).toMatchObject({ reason: 'timed-out' });
  });

  it('connections are capped per address and in all, and a closed one makes room', async () => {
    await using small = await openIngest({ env: { INGEST_MAX_CONNECTIONS_PER_ADDRESS: '3' } });
    const clients = await Promise.all([1, 2, 3].map(() => RtmpClient.ready(small.service.rtmpPort)));
    const fourth = connect({ port: small.service.rtmpPort, host: '127.0.0.1' });
    fourth.on('error', () => {});
    await once(fourth, 'close');
    expect(await small.metric('millrace_ingest_connections_refused_total', '"too-many-from-address"')).toBe(1);
    clients[0]?.socket.destroy();
    await eventually(async () => (await small.metric('millrace_ingest_open_connections')) === 2, 'room');
    using again = await RtmpClient.ready(small.service.rtmpPort);
    expect(again.results).toHaveLength(2);
    for (const client of clients) client.socket.destroy();
  });
});

/** A type 0 chunk header that claims a message of `length` bytes. */
function header(csid: number, type: number, length: number): Buffer {
  const head = Buffer.alloc(12);
  head[0] = csid;
  head.writeUIntBE(length, 4, 3);
  head[7] = type;
  head.writeUInt32LE(1, 8);
  return head;
}

function deepAmf(depth: number): Buffer {
  const open = Buffer.concat(Array.from({ length: depth }, () => Buffer.from([3, 0, 1, 97])));
  return Buffer.concat([Buffer.from([2, 0, 1, 120]), open, Buffer.from([5])]);
}
