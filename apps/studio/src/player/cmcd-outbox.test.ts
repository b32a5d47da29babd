import { ManualClock } from '@millrace/clock/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { CmcdOutbox } from './cmcd-outbox.ts';

let clock: ManualClock;
let posts: string[];
let beacons: Promise<string>[];
/** Status of the next answers; 0: no answer at all. */
let status: number;
let outbox: CmcdOutbox;
beforeEach(() => {
  clock = new ManualClock();
  posts = [];
  beacons = [];
  status = 204;
  outbox = new CmcdOutbox({
    path: () => '/live/play_1/s/ses_1/cmcd',
    fetch: (path, init) => {
      posts.push(`${path} ${String(init.body)}`);
      return status === 0 ? Promise.reject(new Error('away')) : Promise.resolve({ status });
    },
    beacon: (path, body) => {
      beacons.push(body.text().then((text) => `${path} ${body.type} ${text}`));
      return true;
    },
    time: clock,
  });
});

describe('reports of a player', () => {
  it('wait for the first frame, and then go together', async () => {
    outbox.put('a');
    outbox.put('b');
    await clock.advance(2_000);
    expect(posts).toEqual([]);
    outbox.release();
    await clock.advance(300);
    expect(posts).toEqual(['/live/play_1/s/ses_1/cmcd a\nb\n']);
  });

  it('of a start that fails do not wait for ever', async () => {
    outbox.put('failed');
    await clock.advance(5_000);
    expect(posts).toHaveLength(1);
  });

  it('are kept while the server is away, the newest 40, and sent in one request', async () => {
    outbox.release();
    status = 0;
    for (let i = 0; i < 100; i++) {
      outbox.put(String(i));
      await clock.advance(1_000);
    }
    expect(posts.length).toBeLessThan(15);
    status = 503;
    await clock.advance(10_500);
    status = 204;
    await clock.advance(10_500);
    const last = posts.at(-1)?.split(/[ \n]/).filter(Boolean).slice(1);
    expect(last).toEqual(Array.from({ length: 40 }, (_, i) => String(60 + i)));
    const tries = posts.length;
    await clock.advance(60_000);
    expect(posts).toHaveLength(tries);
  });

  it('stop when the server wants none', async () => {
    outbox.release();
    status = 410;
    outbox.put('a');
    await clock.advance(300);
    outbox.put('b');
    await clock.advance(60_000);
    outbox.close();
    expect([posts.length, beacons.length]).toEqual([1, 0]);
  });

  it('go as a beacon when the page goes, once', async () => {
    outbox.put('quit');
    outbox.close();
    outbox.close();
    outbox.put('after');
    await clock.advance(60_000);
    expect(await Promise.all(beacons)).toEqual(['/live/play_1/s/ses_1/cmcd application/cmcd quit\n']);
    expect([posts.length, clock.pending]).toEqual([0, 0]);
  });
});
