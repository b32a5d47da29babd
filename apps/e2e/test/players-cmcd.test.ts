/** Third-party players in Chromium, on a page of another site, tell a real delivery how they do; the facts are read from the log. */
import { systemClock as clock } from '@millrace/clock';
import { openPostgresEventLog } from '@millrace/eventlog';
import {
  type AudienceCount,
  audienceTopic,
  type Beacon,
  beaconsTopic,
  type Topic,
  type ViewerFact,
  viewerSessionsTopic,
} from '@millrace/events';
import { silentLogger as log } from '@millrace/log';
import { createTestDatabase, type TestDatabase } from '@millrace/postgres/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser, type TestBrowser } from '../src/browser.ts';
import { eventually } from '../src/eventually.ts';
import { openPlayerPages, type PlayerName, type PlayerPages } from '../src/player-pages.ts';
import { pushWithFfmpeg } from '../src/publishers.ts';
import { type Standalone, startStandalone } from '../src/standalone.ts';

const state = `(() => { const { currentTime, paused, readyState, error } = document.querySelector('video');
  return JSON.stringify({ currentTime, paused, readyState, error: error?.message }); })()`;

/** shaka 5.2.12 loses its play states when it loads, and says with the time what it plays. */
const saysItPlays = (beacon: Beacon) =>
  beacon.state === 'p' || (beacon.event === 't' && beacon.bitrate_kbps !== undefined);

const briefly = ({ session_id: id, sequence, event, state: sta }: Beacon) => `${id} ${sequence} ${event} ${sta ?? ''}`;

/** The server's own account of the reports. */
async function takenAndDropped({ httpUrl }: Standalone): Promise<string> {
  const text = await (await fetch(`${httpUrl}/metrics`)).text();
  return text
    .split('\n')
    .filter((line) => /^millrace_(delivery_beacon|eventlog_dropped_samples|eventlog_appended.*beacons)/.test(line))
    .join('\n');
}

describe('players that report by CMCD', () => {
  let database: TestDatabase;
  let server: Standalone;
  let browser: TestBrowser;
  let pages: PlayerPages;
  beforeAll(async () => {
    database = await createTestDatabase();
    [server, browser, pages] = await Promise.all([
      startStandalone({ settings: { DATABASE_URL: database.url } }),
      openBrowser(),
      openPlayerPages(),
    ]);
  }, 120_000);
  afterAll(async () => {
    await pages?.[Symbol.asyncDispose]();
    await browser?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
    await database?.[Symbol.asyncDispose]();
  });

  it('are heard, each as one viewer: hls.js, shaka and dash.js', { timeout: 90_000 }, async () => {
    const api = await server.signIn();
    const stream = await api.createStream('Heard');
    await using _encoder = pushWithFfmpeg({ url: server.publishUrl(stream), video: { size: '320x180', gopS: 1 } });
    await eventually(async () => (await fetch(server.hlsUrl(stream))).ok, 'the stream is playable', 15_000);
    await using eventLog = await openPostgresEventLog({ url: database.url, source: 'test', log, clock });
    const followed = async <T>(topic: Topic<T>): Promise<T[]> => {
      const values: T[] = [];
      await eventLog.follow({
        topic,
        from: 'earliest',
        onRecord: ({ value }) => value !== undefined && values.push(value),
      });
      return values;
    };
    const beacons: Beacon[] = await followed(beaconsTopic);
    const facts: ViewerFact[] = await followed(viewerSessionsTopic);
    const audience: AudienceCount[] = await followed(audienceTopic);
    const reports = `${server.httpUrl}/live/${stream.playbackId}/cmcd`;
    const source = { hls: server.hlsUrl(stream), shaka: server.hlsUrl(stream), dash: pages.dashUrl };
    const open = async (player: PlayerName) => {
      const { page, problems } = await browser.open(pages.pageUrl(player, source[player], reports));
      let posts = 0;
      page.on('request', (request) => (posts += request.method() === 'POST' ? 1 : 0));
      const from = beacons.length;
      const own = () =>
        beacons.slice(from).filter((beacon) => beacon.mode === 'event' && !taken.has(beacon.session_id));
      await eventually(() => own().some(saysItPlays), `${player} reports that it plays`, 20_000).catch(
        async (error: unknown) => {
          // What was sent, what became of it, and what was read.
          throw new Error(
            [
              ...[
                String(error),
                problems.join('; '),
                await page.evaluate<string>(state),
                `${posts} posts since it loaded`,
              ],
              ...[await takenAndDropped(server), `${beacons.length} read, of which`, ...own().map(briefly)],
            ].join('\n'),
          );
        },
      );
      const beacon = own().find(saysItPlays);
      taken.add(beacon?.session_id ?? '');
      return { page, problems, session: beacon?.session_id ?? '', beacon };
    };
    const taken = new Set<string>();
    const hls = await open('hls');
    const shaka = await open('shaka');
    const dash = await open('dash');

    for (const { beacon, problems } of [hls, shaka, dash]) {
      expect(beacon).toMatchObject({
        stream_id: stream.id,
        version: 2,
        mode: 'event',
        player_session: expect.any(String),
      });
      expect(Math.abs((beacon?.at_ms ?? 0) - Date.now())).toBeLessThan(60_000);
      expect(problems).toEqual([]);
    }
    // Requests of hls.js carry CMCD too, some twenty a second, and keep none of its events out.
    const numbers = beacons
      .filter((beacon) => beacon.mode === 'event' && beacon.player_session === hls.beacon?.player_session)
      .map(({ sequence }) => Number(sequence))
      .sort((a, b) => a - b);
    expect(numbers).toEqual(numbers.map((_, index) => index));
    // And they find the session that the reports found.
    const queried = (session: string) =>
      beacons.some((beacon) => beacon.mode === 'query' && beacon.session_id === session);
    await eventually(() => queried(hls.session) && queried(shaka.session), 'reports in queries');
    await eventually(() => audience.at(-1)?.viewers === 3, 'three viewers are counted');
    expect(facts.map((fact) => [fact.type, fact.session_id])).toEqual(
      [hls, shaka, dash].map(({ session }) => ['ViewerJoined', session]),
    );
    expect(facts[0]).toMatchObject({ device: 'desktop', player: 'chrome', stream_id: stream.id });

    for (const { page } of [hls, shaka, dash]) await page.evaluate('window.leave()');
    await eventually(
      () => facts.filter(({ session_id: id, type }) => type === 'ViewerLeft' && id === hls.session).length === 1,
      'hls.js leaves',
      12_000,
    );
    expect(JSON.stringify(facts) + JSON.stringify(beacons)).not.toContain('127.0.0.1');
  });
});
