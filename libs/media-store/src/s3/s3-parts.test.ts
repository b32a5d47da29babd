import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noStoreObserver } from '../store-observer.ts';
import { readBody } from './object-reader.ts';
import { tagOfWhole } from './object-upload.ts';
import { cutParts } from './part-cutter.ts';
import { parseBucketUrl } from './s3-access.ts';
import { passingReason, storeFailureOf } from './s3-failures.ts';
import { SendSlots } from './send-slots.ts';

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of source) found.push(one);
  return found;
}

describe('parts of an object', () => {
  it('are all of one size but the last, hold the same bytes in order, and none but a lone one is empty', async () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(pieces, fc.integer({ min: 1, max: 30 }), async (given, partBytes) => {
        const parts = await all(cutParts(given, partBytes));
        expect(Buffer.concat(parts).equals(Buffer.concat(given))).toBe(true);
        expect(parts.slice(0, -1).every(({ byteLength }) => byteLength === partBytes)).toBe(true);
        const last = parts.at(-1)?.byteLength ?? -1;
        expect(last).toBeLessThanOrEqual(partBytes);
        expect(last > 0 || parts.length === 1).toBe(true);
      }),
    );
  });

  it('do not change when their source uses its buffer again', async () => {
    async function* reusing() {
      const buffer = Buffer.alloc(4);
      for (const byte of [1, 2, 3]) {
        buffer.fill(byte);
        yield buffer;
      }
    }
    expect(Buffer.concat(await all(cutParts(reusing(), 6)))).toEqual(Buffer.from([1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]));
  });

  it('make the ETag that S3 gives to the whole, and none where theirs are no MD5 sums', () => {
    const md5 = (bytes: Buffer | string) => createHash('md5').update(bytes).digest();
    const parts = ['one', 'two'].map((text, i) => ({ number: i + 1, tag: `"${md5(text).toString('hex')}"` }));
    const whole = md5(Buffer.concat([md5('one'), md5('two')])).toString('hex');
    expect(tagOfWhole(parts)).toBe(`"${whole}-2"`);
    expect(tagOfWhole([{ number: 1, tag: '"encrypted-otherwise"' }])).toBeUndefined();
  });

  it('are sent so many at once, in the order they came, also after one failed', async () => {
    const slots = new SendSlots(2);
    const began: number[] = [];
    let atOnce = 0;
    let most = 0;
    const send = (n: number) =>
      slots.run(async () => {
        began.push(n);
        most = Math.max(most, ++atOnce);
        await Promise.resolve();
        atOnce--;
        if (n === 1) throw new Error('refused');
      });
    const results = await Promise.allSettled([0, 1, 2, 3, 4, 5].map(send));
    expect(results.map(({ status }) => status === 'fulfilled')).toEqual([true, false, true, true, true, true]);
    expect([began, most]).toEqual([[0, 1, 2, 3, 4, 5], 2]);
  });
});

describe('the bytes of an object', () => {
  const body = (...pieces: (string | Error)[]) =>
    Readable.from(
      (async function* () {
        for (const piece of pieces) {
          if (piece instanceof Error) throw piece;
          yield Buffer.from(piece);
        }
      })(),
    );
  const options = { observer: noStoreObserver, idleMs: 20 };

  it('go on elsewhere when nothing comes for too long, and when fewer come than were promised', async () => {
    const silent = new Readable({ read() {} });
    silent.push('ab');
    const asked: number[] = [];
    const reopen = async (start: number, end: number) => {
      asked.push(start);
      return { body: start === 2 ? body('cd') : body('ef'), start, end };
    };
    const got = await all(readBody({ body: silent, start: 0, end: 5 }, { ...options, reopen }));
    expect([Buffer.concat(got).toString(), asked, silent.destroyed]).toEqual(['abcdef', [2, 4], true]);
  });

  it('are given up when they break again and again', async () => {
    let opened = 0;
    const broken = () => ({ body: body(new Error('reset')), start: 0, end: 5 });
    const reopen = async () => {
      opened++;
      return broken();
    };
    await expect(all(readBody(broken(), { ...options, reopen }))).rejects.toThrow('reset');
    expect(opened).toBe(4);
  });
});

describe('the URL of a bucket', () => {
  it.each([
    ['s3://films', { bucket: 'films', prefix: '' }],
    ['s3://films/', { bucket: 'films', prefix: '' }],
    ['s3://films/mill/race', { bucket: 'films', prefix: 'mill/race/' }],
    ['s3://films/mill/race/', { bucket: 'films', prefix: 'mill/race/' }],
  ])('%s is read', (url, value) => expect(parseBucketUrl(url)).toEqual({ ok: true, value }));

  it.each(['s3://', 's3:///x', 's3://Films', 's3://a', 's3://films/../x', 's3://films//x', 's3://films/a b', 'films'])(
    '%s is refused with what was expected',
    (url) => expect(parseBucketUrl(url)).toMatchObject({ ok: false, error: expect.stringContaining('expected') }),
  );
});

describe('a failure of the bucket', () => {
  const failed = (name: string, status?: number, code?: string) =>
    Object.assign(new Error('told'), { name, code, $metadata: { httpStatusCode: status } });

  it.each([
    [failed('NoSuchKey', 404), { kind: 'not-found', key: 'k' }],
    [failed('NotFound', 404), { kind: 'not-found', key: 'k' }],
    [failed('NoSuchBucket', 404), { kind: 'unavailable', message: 'NoSuchBucket: told (status 404)' }],
    [failed('QuotaExceeded', 403), { kind: 'full', message: 'QuotaExceeded: told (status 403)' }],
    [failed('Error', undefined, 'ENOSPC'), { kind: 'full', message: 'ENOSPC: told' }],
    [failed('Error', undefined, 'ECONNREFUSED'), { kind: 'unavailable', message: 'ECONNREFUSED: told' }],
  ])('is told in the words of the port: %s', (error, failure) => expect(storeFailureOf(error, 'k')).toEqual(failure));

  it.each([
    [failed('SlowDown', 503), 'throttled'],
    [failed('InternalError', 500), 'server'],
    [failed('NotImplemented', 501), undefined],
    [failed('TimeoutError'), 'timeout'],
    [failed('TimeoutError', undefined, 'ECONNRESET'), 'connection'],
    [failed('AccessDenied', 403), undefined],
  ])('may pass, or will not: %s', (error, reason) => expect(passingReason(error)).toBe(reason));
});
