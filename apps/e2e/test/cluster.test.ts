/**
 * The cluster as its operator and a broadcaster meet it; the rest of the live path on it: `npm run test:cluster`.
 */
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { broadcasterCases, reconnectWindowMs } from '../src/broadcaster-cases.ts';
import type { ChildProgram } from '../src/child-program.ts';
import { type ClusterTarget, startClusterTarget } from '../src/cluster-target.ts';
import { eventually } from '../src/eventually.ts';
import { survivesKillOf } from '../src/kill-survival.ts';
import { processesNaming } from '../src/processes.ts';
import { startPrometheus } from '../src/prometheus.ts';
import { pushWithFfmpeg } from '../src/publishers.ts';
import type { RestClient } from '../src/rest-client.ts';
import { decodeWithFfmpeg } from '../src/second-player.ts';
import { watchSteadily } from '../src/steady-viewer.ts';
import { openTestMedia } from '../src/test-media.ts';
import { VideoClient } from '../src/video-client.ts';

describe('a cluster', () => {
  let cluster: ClusterTarget;
  let api: RestClient;
  beforeAll(async () => {
    cluster = await startClusterTarget({ settings: { INGEST_RECONNECT_WINDOW_MS: String(reconnectWindowMs) } });
    api = await cluster.signIn();
  }, 120_000);
  afterAll(async () => {
    if (cluster === undefined) return;
    const dataDir = cluster.dataDir;
    await cluster[Symbol.asyncDispose]();
    expect(processesNaming(dataDir)).toEqual([]);
  }, 60_000);

  it('has one front that hides what is internal and passes the rest', async () => {
    const ask = async (path: string, init?: RequestInit) => (await fetch(`${cluster.httpUrl}${path}`, init)).status;
    for (const path of ['/', '/watch/play_x', '/docs', '/healthz', '/readyz', '/api/v1/openapi.json']) {
      expect(await ask(path), path).toBe(200);
    }
    for (const path of ['/internal', '/internal/v1/live/x', '/metrics', '/assets/none.js']) {
      expect(await ask(path), path).toBe(404);
    }
    expect(await ask('/api/v1/streams')).toBe(401);
    expect(await ask('/live/play_00000000000000000000000000/index.m3u8')).toBe(404);
    expect(await ask('/api/v1/events')).toBeLessThan(500);
    const page = await fetch(`${cluster.httpUrl}/`);
    expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
  });

  it('is scraped by Prometheus: every target up, every exposition clean, what is needed is there, labels bounded', async () => {
    const stream = await api.createStream('Scraped');
    const push = () =>
      pushWithFfmpeg({ url: cluster.publishUrl(stream), video: { size: '320x180', fps: 30, gopS: 1 } });
    let encoder: ChildProgram = push();
    await using _encoder = { [Symbol.asyncDispose]: () => encoder[Symbol.asyncDispose]() };
    const { services } = cluster.processes;
    const targets = services.map(({ internalUrl, app, name }) => ({
      url: internalUrl,
      labels: { service: app, name },
    }));
    await using prometheus = await startPrometheus(targets);
    const playable = async () => {
      // A key is refused until it has reached ingest, which takes a moment where Kafka is just up.
      if (!encoder.running) encoder = push();
      return (await fetch(cluster.hlsUrl(stream))).ok;
    };
    await eventually(playable, 'the stream is playable', 20_000);
    await using viewer = await watchSteadily(cluster.hlsUrl(stream));
    await eventually(() => viewer.answers() > 3, 'somebody watches');
    await eventually(async () => (await prometheus.down()).length === 0, 'every target is up', 15_000);
    for (const { internalUrl, name } of services) {
      const text = await (await fetch(`${internalUrl}/metrics`)).text();
      const checked = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
      // Node's own metrics have names of their own.
      const found = `${checked.stdout}${checked.stderr}`.split('\n').filter((line) => line.startsWith('millrace_'));
      expect(found, name).toEqual([]);
      expect(text, name).not.toMatch(
        /(str|play|ses|pub|key|own|vid|job|tsk|ast|upl|cmp)_[0-7][0-9a-z]{25}|mk_[a-z0-9]{20}/,
      );
    }
    const needed = [
      ...['eventlog_lag_records', 'eventlog_batch_records_bucket', 'eventlog_appended_records_total'],
      ...['eventlog_spool_bytes', 'hub_sockets', 'hub_viewers', 'delivery_sessions_minted_total'],
      ...['analytics_insert_rows_bucket', 'analytics_insert_failures_total', 'analytics_sink_stalled'],
      ...['delivery_viewer_sessions', 'delivery_audience_viewers', 'hub_messages_skipped_total'],
      ...[
        'ingest_live_streams',
        'transcode_sources',
        'transcode_tasks_running',
        'progress_lease_calls_total',
        'http_requests_total',
      ],
    ].map((name) => `millrace_${name}`);
    for (const name of needed) {
      await eventually(async () => (await prometheus.query(name)).length > 0, `${name} is scraped`, 10_000);
    }
    const live = await prometheus.query('sum(millrace_ingest_live_streams)');
    expect(live[0]?.value).toBe(1);
    await eventually(
      async () => (await prometheus.query('max(millrace_hub_viewers)'))[0]?.value === 1,
      'the viewer is counted',
    );
    // A family with many series is a label that is not bounded.
    const series = await prometheus.series('{__name__=~"millrace_.+", name="delivery-edge-1"}');
    const counts = new Map<string, number>();
    for (const { __name__ = '' } of series) counts.set(__name__, (counts.get(__name__) ?? 0) + 1);
    expect([...counts].filter(([, count]) => count > 200)).toEqual([]);
    expect(encoder.running).toBe(true);
  }, 60_000);

  it('takes a video through the front, lets its workers process it, and plays it at an edge to who has its token', {
    timeout: 90_000,
  }, async () => {
    await using media = await openTestMedia();
    const videos = new VideoClient(cluster.httpUrl, api);
    const video = await videos.create('Behind the front', { visibility: 'private' });
    await videos.upload(video, await media.video(8, '640x360'), { pieceBytes: 8 * 1024 * 1024 });
    const done = await videos.until(video, ['completed', 'failed'], 60_000);
    expect(done).toMatchObject({ status: 'completed', error: null });
    expect((await fetch(`${cluster.httpUrl}/vod/${video.playback_id}/index.m3u8`)).status).toBe(403);
    const minted = await api.expect('POST', `/videos/${video.video_id}/playback-tokens`, { expires_in_s: 600 });
    await eventually(async () => (await fetch(String(minted['dash_url']))).ok, 'the edge plays it');
    const { warnings } = await decodeWithFfmpeg(String(minted['hls_url']), 4);
    expect(warnings).toEqual([]);
  });

  broadcasterCases(
    () => cluster,
    () => api,
  );

  // All processes, one after the other: `npm run test:soak -- kill-any`.
  it.each(['delivery-edge-1', 'ingest-1'])(
    'loses no fact when %s is killed during a broadcast with viewers',
    async (victim) => {
      const { mistakes, recoveredMs, playableMs, sessions } = await survivesKillOf(cluster, api, victim);
      console.log(
        `${victim} killed: all ready after ${Math.round(recoveredMs)} ms, playable after ${Math.round(playableMs)} ms, ${sessions} sessions`,
      );
      expect(mistakes).toEqual([]);
    },
    120_000,
  );
});
