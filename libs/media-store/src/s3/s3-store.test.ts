import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemClock } from '@millrace/clock';
import { Secret } from '@millrace/config';
import { silentLogger } from '@millrace/log';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
// The real server is started as every other program that tests need.
// eslint-disable-next-line @nx/enforce-module-boundaries
import { type S3Server, startS3Server } from '../../../../tools/s3/s3-server.ts';
import { mediaStoreContract } from '../contract.ts';
import type { MediaStore } from '../media-store.ts';
import { noStoreObserver, type StoreObserver } from '../store-observer.ts';
import type { S3Access } from './s3-access.ts';
import { S3Api } from './s3-api.ts';
import { openS3Store } from './s3-store.ts';
import { abortStaleUploads } from './stale-uploads.ts';

const mebibyte = 1024 * 1024;
let server: S3Server;
let proxy: FaultProxy;
const opened: AsyncDisposable[] = [];

beforeAll(async () => {
  server = await startS3Server({ buckets: ['millrace'] });
  proxy = await openFaultProxy();
});
afterAll(async () => {
  for (const each of opened) await each[Symbol.asyncDispose]();
  await proxy?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
});
beforeEach(() => {
  proxy.fault = () => undefined;
  proxy.seen.length = 0;
});

/** An empty place in the bucket. */
function place(over: Partial<S3Access> = {}): S3Access {
  return {
    ...{ bucket: 'millrace', prefix: `${randomBytes(6).toString('hex')}/`, endpoint: server.endpoint, pathStyle: true },
    ...{ region: undefined, credentials: { keyId: server.keyId, secret: new Secret(server.secret) } },
    ...{ encryption: 'none', kmsKeyId: undefined, partBytes: 5 * mebibyte, connections: 100 },
    ...over,
  };
}

async function open(access = place(), observer = noStoreObserver): Promise<MediaStore> {
  const store = await openS3Store({ access, clock: systemClock, log: silentLogger, observer });
  opened.push(store);
  return store;
}

/** What the store tells, as `name label` counted. */
function counting(): { readonly observer: StoreObserver; readonly counts: Record<string, number> } {
  const counts: Record<string, number> = {};
  const count = (name: string, by = 1) => {
    counts[name] = (counts[name] ?? 0) + by;
  };
  return {
    counts,
    observer: {
      requested: (operation, outcome) => count(`${operation} ${outcome}`),
      triedInVain: (reason) => count(reason),
      bytes: (direction, bytes) => count(`bytes ${direction}`, bytes),
      readResumed: () => count('resumed'),
      uploadAborted: (reason) => count(`aborted ${reason}`),
    },
  };
}

async function read(store: MediaStore, key: string, range?: { start: number; end?: number }): Promise<Buffer> {
  const object = await store.get(key, range);
  if (!object.ok) throw new Error(JSON.stringify(object.error));
  const pieces: Uint8Array[] = [];
  for await (const piece of object.value.bytes) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function keys(store: MediaStore): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.list('')) found.push(key);
  return found;
}

async function* inPieces(bytes: Buffer, size = 300_000): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const unfinished = async (access: S3Access) => {
  using api = await S3Api.open(access, noStoreObserver);
  return (await api.listUploads()).uploads.length;
};

mediaStoreContract('the S3 store', () => open(), { objectsAreFiles: true });

describe('a large object in a bucket', () => {
  const film = randomBytes(12 * mebibyte + 5);

  it('goes in parts, from a stream and from a file, and reads as one', async () => {
    const { observer, counts } = counting();
    const store = await open(place(), observer);
    expect(await store.put('a/stream', inPieces(film))).toEqual({ ok: true, value: { size: film.length } });
    const folder = await mkdtemp(join(tmpdir(), 'millrace-store-file-'));
    try {
      await writeFile(join(folder, 'film'), film);
      expect(await store.putFile('a/file', join(folder, 'film'))).toEqual({ ok: true, value: { size: film.length } });
    } finally {
      await rm(folder, { recursive: true });
    }
    expect((await read(store, 'a/stream')).equals(film)).toBe(true);
    expect((await read(store, 'a/file')).equals(film)).toBe(true);
    const over = 5 * mebibyte - 7;
    const middle = await read(store, 'a/file', { start: over, end: over + 99 });
    expect(middle.equals(film.subarray(over, over + 100))).toBe(true);
    expect(counts).toMatchObject({ 'upload-part done': 6, 'complete-upload done': 2, 'bytes out': 2 * film.length });
  });

  it('is not there until it is whole, and leaves no part when its source breaks', async () => {
    const access = place();
    const { observer, counts } = counting();
    const store = await open(access, observer);
    await store.put('x', [Buffer.from('old')]);
    async function* breaking() {
      yield* inPieces(film);
      expect((await read(store, 'x')).toString()).toBe('old');
      throw new Error('the sender went away');
    }
    const put = await store.put('x', breaking());
    expect(put).toMatchObject({ ok: false, error: { kind: 'unavailable' } });
    expect((await read(store, 'x')).toString()).toBe('old');
    expect([await unfinished(access), counts['aborted failed']]).toEqual([0, 1]);
  });

  it('stops at a part that is refused, and leaves none of the others', async () => {
    const access = place({ endpoint: proxy.endpoint });
    const store = await open(access);
    proxy.fault = ({ url }) => (url.includes('partNumber=2') ? { status: 403, code: 'AccessDenied' } : undefined);
    let taken = 0;
    async function* endless() {
      for (;;) {
        taken++;
        yield film.subarray(0, mebibyte);
      }
    }
    const put = await store.put('x', endless());
    expect(put).toMatchObject({ ok: false, error: { kind: 'unavailable', message: /AccessDenied/ } });
    // the parts that were on their way, one that was ready, and no more
    expect(taken).toBeLessThanOrEqual(7 * 5);
    expect(await unfinished(access)).toBe(0);
    expect(await keys(store)).toEqual([]);
  });

  it('counts as written when only the answer to its completion was lost', async () => {
    const store = await open(place({ endpoint: proxy.endpoint }));
    let lost = 0;
    proxy.fault = ({ method, url }) =>
      method === 'POST' && url.includes('uploadId=') && lost++ === 0 ? { cutAnswerAt: 0 } : undefined;
    expect(await store.put('x', inPieces(film))).toEqual({ ok: true, value: { size: film.length } });
    expect(lost).toBe(2);
    expect((await read(store, 'x')).equals(film)).toBe(true);
  });
});

describe('a bucket with troubles', () => {
  it('is asked again when it is too busy or a connection breaks, and each try is counted', async () => {
    const { observer, counts } = counting();
    const store = await open(place({ endpoint: proxy.endpoint }), observer);
    const faults: Fault[] = [{ status: 503, code: 'SlowDown' }, { status: 500, code: 'InternalError' }, { cut: true }];
    proxy.fault = ({ method }) => (method === 'PUT' ? faults.shift() : undefined);
    expect(await store.put('x', [Buffer.from('film')])).toEqual({ ok: true, value: { size: 4 } });
    expect(counts).toMatchObject({ throttled: 1, server: 1, connection: 1, 'put done': 1 });
  });

  it('is given up after five tries, with what it said', async () => {
    const store = await open(place({ endpoint: proxy.endpoint }));
    proxy.fault = () => ({ status: 500, code: 'InternalError' });
    const put = await store.put('x', [Buffer.from('film')]);
    expect(put).toMatchObject({ ok: false, error: { kind: 'unavailable', message: /InternalError.*500/ } });
    expect(proxy.seen.filter(({ method }) => method === 'PUT')).toHaveLength(5);
  });

  it.each([
    { status: 507, code: 'XMinioStorageFull' },
    { status: 403, code: 'QuotaExceeded' },
  ])('is full when it says $code', async (fault) => {
    const store = await open(place({ endpoint: proxy.endpoint }));
    proxy.fault = ({ method }) => (method === 'PUT' ? fault : undefined);
    expect(await store.put('x', [Buffer.from('film')])).toMatchObject({ ok: false, error: { kind: 'full' } });
  });

  it('goes on reading where a connection broke, of the same object only', async () => {
    const { observer, counts } = counting();
    const access = place({ endpoint: proxy.endpoint });
    const store = await open(access, observer);
    const film = randomBytes(3 * mebibyte);
    await store.put('x', [film]);
    const cuts = [100_000, 1_500_000];
    proxy.fault = ({ method }) => {
      const at = method === 'GET' ? cuts.shift() : undefined;
      return at === undefined ? undefined : { cutAnswerAt: at };
    };
    expect((await read(store, 'x', { start: 10 })).equals(film.subarray(10))).toBe(true);
    expect(counts['resumed']).toBe(2);

    cuts.push(1_000_000);
    const replaced = await store.get('x');
    if (!replaced.ok) throw new Error('expected an object');
    await (await open({ ...access, endpoint: server.endpoint })).put('x', [randomBytes(3 * mebibyte)]);
    const bytes = replaced.value.bytes[Symbol.asyncIterator]();
    await bytes.next();
    await expect(
      (async () => {
        while (!(await bytes.next()).done);
      })(),
    ).rejects.toThrow(/precondition/i);
  });

  it('closes the connection of a read that is left early', async () => {
    const store = await open(place({ endpoint: proxy.endpoint }));
    await store.put('x', [randomBytes(4 * mebibyte)]);
    const object = await store.get('x');
    if (object.ok) for await (const _ of object.value.bytes) break;
    await expect.poll(() => proxy.answering).toBe(0);
  });

  it('deletes one by one where a server knows no deletion of many', async () => {
    const store = await open(place({ endpoint: proxy.endpoint }));
    for (const key of ['a/1', 'a/2', 'b/1']) await store.put(key, [Buffer.from('x')]);
    proxy.fault = ({ method }) => (method === 'POST' ? { status: 501, code: 'NotImplemented' } : undefined);
    expect(await store.deletePrefix('a/')).toEqual({ ok: true, value: { deleted: 2 } });
    expect(await keys(store)).toEqual(['b/1']);
  });

  it('is opened although it cannot be reached, says so, and works when it is back', async () => {
    const access = place({ endpoint: proxy.endpoint });
    proxy.fault = () => ({ cut: true });
    const store = await open(access);
    expect(await store.get('x')).toMatchObject({ ok: false, error: { kind: 'unavailable' } });
    expect(await store.deletePrefix('a/')).toMatchObject({ ok: false, error: { kind: 'unavailable' } });
    proxy.fault = () => undefined;
    expect(await store.get('x')).toMatchObject({ ok: false, error: { kind: 'not-found' } });
  });
});

describe('a bucket', () => {
  it('that does not answer is let go of at once when the store is closed', async () => {
    const access = place({ endpoint: proxy.endpoint });
    const store = await openS3Store({ access, clock: systemClock, log: silentLogger, observer: noStoreObserver });
    proxy.fault = () => ({ silent: true });
    const asked = store.get('x');
    await expect.poll(() => proxy.answering).toBeGreaterThan(0);
    await store[Symbol.asyncDispose]();
    expect(await asked).toMatchObject({ ok: false, error: { kind: 'unavailable', message: /is closed/ } });
    await expect.poll(() => proxy.answering).toBe(0);
    expect(await store.get('x')).toMatchObject({ ok: false, error: { kind: 'unavailable' } });
  });

  it('with thousands of objects is listed and emptied page by page, and what is not ours stays', async () => {
    const { observer, counts } = counting();
    const access = place();
    const folder = join(server.folder, 'millrace', access.prefix);
    await mkdir(join(folder, 'many'), { recursive: true });
    const names = Array.from({ length: 2_100 }, (_, i) => `many/${i}`);
    for (const name of names) await writeFile(join(folder, name), 'x');
    await writeFile(join(folder, 'many', 'a file of others'), 'x');
    const store = await open(access, observer);
    expect((await keys(store)).sort()).toEqual(names.sort());
    expect(counts['list done']).toBe(3);
    expect(await store.deletePrefix('many/')).toEqual({ ok: true, value: { deleted: 2_100 } });
    expect(counts['delete-many done']).toBe(3);
    expect(await keys(store)).toEqual([]);
    using api = await S3Api.open(access, noStoreObserver);
    expect((await api.listObjects(access.prefix)).entries).toHaveLength(1);
  });

  it('is rid of uploads that somebody left a day ago, its own place only', async () => {
    const access = place();
    const { observer, counts } = counting();
    using api = await S3Api.open(access, observer);
    await api.createUpload(`${access.prefix}left`);
    const other = place();
    await api.createUpload(`${other.prefix}left`);
    const at = (laterMs: number): Clock => ({ ...systemClock, nowMs: () => Date.now() + laterMs });
    const sweep = (clock: Clock) =>
      abortStaleUploads({ api, clock, log: silentLogger, observer }, new AbortController().signal);
    expect(await sweep(at(23 * 3_600_000))).toBe(0);
    expect(await sweep(at(25 * 3_600_000))).toBe(1);
    expect([await unfinished(access), await unfinished(other), counts['aborted stale']]).toEqual([0, 1, 1]);
  });

  it('that is not there, or whose credentials are wrong, is refused with what to do', async () => {
    await expect(open(place({ bucket: 'other' }))).rejects.toThrow(/MEDIA_STORE_URL: .*bucket other.*create it first/);
    const credentials = { keyId: server.keyId, secret: new Secret('wrong') };
    await expect(open(place({ credentials }))).rejects.toThrow(/refused: check the credentials/);
  });

  it.each([
    { over: { encryption: 'AES256' }, headers: { 'x-amz-server-side-encryption': 'AES256' } },
    {
      over: { encryption: 'aws:kms', kmsKeyId: 'key-1' },
      headers: { 'x-amz-server-side-encryption': 'aws:kms', 'x-amz-server-side-encryption-aws-kms-key-id': 'key-1' },
    },
  ] as const)('is told to encrypt what is written: $over.encryption', async ({ over, headers }) => {
    const store = await open(place({ endpoint: proxy.endpoint, ...over }));
    await store.put('x', [Buffer.from('film')]);
    await store.put('y', inPieces(randomBytes(6 * mebibyte)));
    const writes = proxy.seen.filter(
      ({ method, url }) => method === 'PUT' || (method === 'POST' && url.includes('uploads')),
    );
    expect(writes.map(({ method }) => method)).toEqual(['PUT', 'POST']);
    for (const write of writes) expect(write.headers).toMatchObject(headers);
  });
});

/** What happens to a request: an error of the server, an end of the connection, no answer at all, or one that breaks off after some bytes of its body. */
type Fault =
  | { readonly status: number; readonly code: string }
  | { readonly cut: true }
  | { readonly silent: true }
  | { readonly cutAnswerAt: number };

interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
}

interface FaultProxy extends AsyncDisposable {
  readonly endpoint: string;
  readonly seen: SeenRequest[];
  /** Answers that are being sent. */
  readonly answering: number;
  fault: (seen: SeenRequest) => Fault | undefined;
}

/** Stands between the store and the real server, and lets go wrong what a test wants. */
async function openFaultProxy(): Promise<FaultProxy> {
  let answering = 0;
  const target = Number(new URL(server.endpoint).port);
  const pass = (incoming: IncomingMessage, outgoing: ServerResponse, cutAt: number | undefined) => {
    const { method, url, headers } = incoming;
    const forwarded = request({ host: '127.0.0.1', port: target, method, path: url, headers }, (answer) => {
      if (cutAt === undefined) outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      let sent = 0;
      answer.on('data', (piece: Buffer) => {
        if (cutAt === 0) return; // nothing of it is to arrive
        const rest = (cutAt ?? Number.POSITIVE_INFINITY) - sent;
        sent += piece.length;
        if (cutAt !== undefined && !outgoing.headersSent) outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        if (piece.length > rest) outgoing.write(piece.subarray(0, rest), () => incoming.socket.destroy());
        else if (!outgoing.write(piece)) {
          answer.pause();
          outgoing.once('drain', () => answer.resume());
        }
      });
      answer.on('end', () => (cutAt === 0 ? incoming.socket.destroy() : outgoing.end()));
    });
    forwarded.on('error', () => incoming.socket.destroy());
    outgoing.on('close', () => forwarded.destroy());
    incoming.pipe(forwarded);
  };
  const listener: Server = createServer((incoming, outgoing) => {
    const { method = '', url = '', headers } = incoming;
    const seen = { method, url, headers };
    state.seen.push(seen);
    answering++;
    outgoing.once('close', () => answering--);
    const fault = state.fault(seen);
    if (fault !== undefined && 'silent' in fault) incoming.resume();
    else if (fault !== undefined && 'cut' in fault) incoming.socket.destroy();
    else if (fault !== undefined && 'status' in fault) {
      incoming.resume().on('end', () => {
        outgoing.writeHead(fault.status, { 'content-type': 'application/xml' });
        outgoing.end(`<Error><Code>${fault.code}</Code><Message>made to fail</Message></Error>`);
      });
    } else pass(incoming, outgoing, fault?.cutAnswerAt);
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const state: FaultProxy = {
    endpoint: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    seen: [],
    get answering() {
      return answering;
    },
    fault: () => undefined,
    [Symbol.asyncDispose]: async () => {
      listener.closeAllConnections();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
  return state;
}
