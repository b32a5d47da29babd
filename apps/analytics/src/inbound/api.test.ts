import type {
  AnalyticsBreakdown,
  AnalyticsIngest,
  AnalyticsLive,
  AnalyticsSession,
  AnalyticsSummary,
  AnalyticsTimeseries,
  Page,
  StreamMetrics,
} from '@millrace/api';
import type { Role } from '@millrace/auth';
import { record } from '@millrace/eventlog';
import {
  audienceTopic,
  beaconsTopic,
  healthTopic,
  liveStreamsTopic,
  type StreamDefinition,
  viewerSessionsTopic,
} from '@millrace/events';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openTestAnalytics, type TestAnalytics } from '../testing.ts';

const minute = 60_000;
const nowMs = Date.now();
const beginMs = Math.floor(nowMs / minute) * minute - 10 * minute;
const mine = 'own_01jd4000000000000000000001';
const other = 'own_01jd4000000000000000000002';
const nobody = `str_${'0'.repeat(26)}`;
const range = `from=${new Date(beginMs).toISOString()}&to=${new Date(beginMs + 5 * minute).toISOString()}`;
const at = '/api/v1/analytics';

let analytics: TestAnalytics;
let stream: StreamDefinition;
let theirs: StreamDefinition;
const tokens = new Map<Role, string>();
let stranger: string;

beforeAll(async () => {
  analytics = await openTestAnalytics();
  for (const role of ['admin', 'broadcaster', 'analyst', 'viewer'] as const)
    tokens.set(role, await analytics.tokenOf(role, mine));
  stranger = await analytics.tokenOf('broadcaster', other);
  stream = await analytics.addStream(mine, 'mill');
  theirs = await analytics.addStream(other, 'theirs');
  await analytics.instanceLives('delivery-1');
  const { eventLog } = analytics;
  const facts = [stream, theirs].flatMap(({ stream_id, playback_id, owner_id }) => {
    const count = owner_id === mine ? 3 : 1;
    const viewers = Array.from({ length: count }, (_, i) => {
      const joined = beginMs + i * minute + 1_000;
      const who = {
        ...{
          session_id: `ses_${owner_id.slice(-1)}_${i}`,
          stream_id,
          playback_id,
          owner_id,
          instance_id: 'delivery-1',
        },
        ...{ joined_at_ms: joined, viewer_hash: `v${i}`, device: 'tv' as const, player: 'chrome' },
        ...(i === 0 ? { country: 'DE' } : {}),
      };
      const beacon = {
        ...who,
        type: 'BeaconReceived' as const,
        version: 2 as const,
        mode: 'event' as const,
        event: 'ps',
      };
      return [
        record(viewerSessionsTopic, { ...who, type: 'ViewerJoined', at_ms: joined, resumed: false }),
        record(viewerSessionsTopic, {
          ...who,
          type: 'ViewerLeft',
          at_ms: joined + 40_000,
          reason: 'quit',
          counted_ms: 30_000,
        }),
        record(beaconsTopic, { ...beacon, at_ms: joined + 500, state: 'p', startup_ms: 400 + i, latency_ms: 2_000 }),
        record(beaconsTopic, { ...beacon, at_ms: joined + 10_000, state: 'r', playhead_kbps: 1_000 }),
        record(beaconsTopic, { ...beacon, at_ms: joined + 13_000, state: 'p', playhead_kbps: 2_000 }),
      ];
    });
    const broadcast = {
      stream_id,
      owner_id,
      epoch: 7,
      publish_id: `pub_${owner_id}`,
      instance_id: 'ingest-1',
      at_ms: beginMs,
    };
    const health = { stream_id, epoch: 7, state: 'live' as const, video_bps: 2_000_000, audio_bps: 128_000 };
    const figures = { frames_per_second: 30, timestamp_gaps: 0, warnings: [{ code: 'long-gop', message: 'x' }] };
    const audience = { type: 'AudienceCounted' as const, stream_id, incarnation: 1, at_ms: nowMs };
    return [
      record(liveStreamsTopic, { ...broadcast, type: 'StreamPublished', key_id: 'key_1' }),
      record(healthTopic, { ...health, ...figures, at_ms: nowMs - 1_000 }),
      record(audienceTopic, { ...audience, instance_id: 'delivery-1', viewers: 5 }),
      record(audienceTopic, { ...audience, instance_id: 'delivery-dead', viewers: 9 }),
      ...viewers.flat(),
    ];
  });
  await eventLog.publish(facts);
  await analytics.untilCount(
    'SELECT (SELECT count() FROM viewer_events) + (SELECT count() FROM beacons) + (SELECT count() FROM ingest_health)',
    8 + 12 + 2,
  );
}, 60_000);
afterAll(async () => analytics[Symbol.asyncDispose]());

const get = <T>(path: string, token = tokens.get('analyst')) => analytics.call<T>('GET', path, token);

describe('the role matrix', () => {
  const routes: [method: string, path: string, body?: unknown][] = [
    ['GET', `${at}/live`],
    ['GET', `${at}/summary`],
    ['GET', `${at}/timeseries?metric=views`],
    ['GET', `${at}/breakdowns?metric=views&by=country`],
    ['GET', `${at}/sessions`],
    ['GET', `${at}/ingest/${nobody}`],
    ['GET', `${at}/export?dataset=sessions`],
    ['POST', `${at}/sql`, { query: 'SELECT 1' }],
    ['GET', `/api/v1/streams/${nobody}/metrics`],
  ];

  it('has a row for every route of the document', () => {
    const documented = Object.entries(analytics.service.openApi.paths ?? {}).flatMap(([path, item]) =>
      Object.keys(item as object).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{[^}]+\}/g, '*')}`),
    );
    const rows = routes.map(([method, path]) => `${method} ${path.replace(/\?.*/, '').replace(nobody, '*')}`);
    expect(rows.sort()).toEqual(documented.sort());
  });

  it.each(routes.map((row): [string, string, unknown] => [row[0], row[1], row[2]]))(
    '%s %s is for admins, broadcasters and analysts',
    async (method, path, body) => {
      expect((await analytics.call(method, path, undefined, body)).status).toBe(401);
      expect((await analytics.call(method, path, tokens.get('viewer'), body)).status).toBe(403);
      for (const role of ['admin', 'broadcaster', 'analyst'] as const) {
        const answer = await analytics.call(method, path, tokens.get(role), body);
        expect([200, 404], `${role}: ${answer.text}`).toContain(answer.status);
      }
    },
  );

  it('owners see their own only, an admin all', async () => {
    const views = async (token: string | undefined, more = '') =>
      (await get<AnalyticsSummary>(`${at}/summary?${range}${more}`, token)).body.metrics.views?.value;
    expect(await views(tokens.get('analyst'))).toBe(3);
    expect(await views(stranger)).toBe(1);
    expect(await views(tokens.get('admin'))).toBe(4);
    expect(await views(stranger, `&stream_id=${stream.stream_id}`)).toBe(0);
    expect((await get(`/api/v1/streams/${stream.stream_id}/metrics`, stranger)).status).toBe(404);
    expect((await get(`${at}/ingest/${stream.stream_id}`, stranger)).status).toBe(404);
    const exported = await get(`${at}/export?dataset=ingest&from=${new Date(beginMs).toISOString()}`, stranger);
    expect(exported.text).not.toContain(stream.stream_id);
    expect(exported.text).toContain(theirs.stream_id);
  });
});

describe('the present', () => {
  beforeEach(async () => {
    // signs of life count for 6 s only, and a loaded machine takes its time
    await analytics.instanceLives('delivery-1');
    const health = {
      stream_id: stream.stream_id,
      epoch: 7,
      state: 'live' as const,
      video_bps: 3_000_000,
      audio_bps: 1,
    };
    await analytics.eventLog.publish([
      record(healthTopic, { ...health, frames_per_second: 30, timestamp_gaps: 0, warnings: [], at_ms: nowMs - minute }),
    ]);
    await vi.waitFor(async () => {
      const { body } = await get<AnalyticsLive>(`${at}/live`);
      expect(body.streams[0]?.health?.video_bps).toBe(3_000_000);
      expect(body.viewers).toBeGreaterThan(0);
    });
  });

  it('counts the viewers of living instances and shows own streams', async () => {
    const { body } = await get<AnalyticsLive>(`${at}/live`);
    expect(body.viewers).toBe(5);
    expect(body.streams).toMatchObject([{ stream_id: stream.stream_id, title: 'mill', state: 'live', viewers: 5 }]);
  });

  it('of one stream has state, peak and what players said', async () => {
    const { body, text } = await get<StreamMetrics>(`/api/v1/streams/${stream.stream_id}/metrics`);
    expect(body, text).toMatchObject({ state: 'live', viewers: 5, peak_viewers: 5, health: { video_bps: 3_000_000 } });
    expect(body.live_since).toBe(new Date(beginMs).toISOString());
  });
});

describe('metrics', () => {
  it('are summed over a range', async () => {
    const { body, text } = await get<AnalyticsSummary>(`${at}/summary?${range}`);
    const values = Object.fromEntries(Object.entries(body.metrics).map(([name, metric]) => [name, metric.value]));
    expect(values, text).toMatchObject({
      ...{ viewers: 1, unique_viewers: 3, views: 3, watch_time_s: 90, startup_time_p50_ms: 401 },
      ...{ startup_failure_percentage: 0, exit_before_start_percentage: 0, rebuffer_percentage: 10 },
      ...{ rebuffer_frequency_per_min: 2, bitrate_kbps: 1_500, rendition_switches: 3, live_latency_ms: 2_000 },
    });
  });

  it('come in every bucket: 0 where nobody watched, null where nothing was measured', async () => {
    const { body } = await get<AnalyticsTimeseries>(
      `${at}/timeseries?${range}&metric=views,watch_time,bitrate_kbps&interval=60`,
    );
    expect(body.interval_s).toBe(60);
    const of = (metric: string) => body.series.find((one) => one.metric === metric)?.points.map(([, value]) => value);
    expect(of('views')).toEqual([1, 1, 1, 0, 0]);
    expect(of('watch_time_s')).toEqual([30, 30, 30, 0, 0]);
    expect(of('bitrate_kbps')).toEqual([1_500, 1_500, 1_500, null, null]);
    expect(body.series[0]?.points[0]?.[0]).toBe(beginMs);
  });

  it('break down with titles and sessions, the greatest first', async () => {
    const byCountry = await get<AnalyticsBreakdown>(`${at}/breakdowns?${range}&metric=watch_time_s&by=country`);
    expect(byCountry.body.items).toEqual([
      { key: 'unknown', label: 'unknown', value: 60, sessions: 2 },
      { key: 'DE', label: 'DE', value: 30, sessions: 1 },
    ]);
    for (const metric of ['viewers', 'bitrate_kbps', 'rendition_switches', 'live_latency_ms']) {
      const { body, text } = await get<AnalyticsBreakdown>(`${at}/breakdowns?${range}&metric=${metric}&by=stream`);
      expect(body.items, text).toMatchObject([{ key: stream.stream_id, label: 'mill' }]);
    }
  });

  it('are refused with what is expected when the range or the interval is out of bounds', async () => {
    const detail = async (query: string) => {
      const { status, body } = await get<{ detail: string }>(`${at}/timeseries?metric=views&${query}`);
      expect(status, query).toBe(400);
      return body.detail;
    };
    expect(await detail('from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z')).toContain('from: expected a time before');
    expect(await detail('from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z')).toContain('at most 400 days');
    expect(await detail('from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z&interval=60')).toContain('at least');
    expect(await detail('interval=90')).toContain('multiple of 60');
    expect((await get(`${at}/timeseries?metric=nonsense`)).status).toBe(400);
  });
});

describe('lists and files', () => {
  it('turn pages of sessions without a gap or a repeat', async () => {
    const seen: AnalyticsSession[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const more: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const { body } = await get<Page<AnalyticsSession>>(`${at}/sessions?${range}&limit=2${more}`);
      seen.push(...body.items);
      cursor = body.next_cursor;
    }
    expect(seen.map((session) => session.session_id)).toEqual(['ses_1_2', 'ses_1_1', 'ses_1_0']);
    expect(seen[2]).toMatchObject({
      watch_ms: 30_000,
      country: 'DE',
      startup_ms: 400,
      rebuffer_count: 1,
      rebuffer_ms: 3_000,
      exit: 'quit',
    });
    expect((await get(`${at}/sessions?cursor=!`)).status).toBe(400);
  });

  it('show what the encoder sent', async () => {
    const { body } = await get<AnalyticsIngest>(`${at}/ingest/${stream.stream_id}`);
    expect(body.points.slice(-1)).toMatchObject([
      { video_bps: 2_000_000, keyframe_interval_s: null, warnings: ['long-gop'] },
    ]);
  });

  it('come as CSV with a header and as Parquet', async () => {
    const csv = await get(`${at}/export?${range}&dataset=sessions`);
    expect(csv.headers.get('content-type')).toContain('text/csv');
    expect(csv.text.split('\n')[0]).toContain('"session_id","stream_id"');
    expect(csv.text.trim().split('\n').length).toBe(4);
    const parquet = await get(`${at}/export?${range}&dataset=beacons&format=parquet`);
    expect([parquet.text.slice(0, 4), parquet.text.slice(-4)]).toEqual(['PAR1', 'PAR1']);
    expect((await get(`${at}/export?dataset=beacons&country=DE`)).status).toBe(400);
  });
});
