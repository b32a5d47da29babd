import { spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../src/eventually.ts';
import { readMetrics } from '../src/metrics-text.ts';
import { descendantsOf, processesNaming } from '../src/processes.ts';
import { startPrometheus } from '../src/prometheus.ts';
import { pushWithFfmpeg } from '../src/publishers.ts';
import { RestClient } from '../src/rest-client.ts';
import { openDataDir, type Standalone, startMain, startStandalone } from '../src/standalone.ts';
import { followStream } from '../src/stream-follower.ts';

const video = { size: '320x180', fps: 30, gopS: 1 };

describe('who operates a server', () => {
  const after: AsyncDisposable[] = [];
  afterEach(async () => {
    for (const resource of after.splice(0).reverse()) await resource[Symbol.asyncDispose]();
  });
  const keep = <T extends AsyncDisposable>(resource: T): T => {
    after.push(resource);
    return resource;
  };

  it('finds everything again after kill -9, and encoders publish at once', async () => {
    const data = keep(await openDataDir());
    const first = keep(await startStandalone({ dataDir: data.path }));
    const api = await first.signIn();
    const stream = await api.createStream('Survivor');
    const encoder = keep(pushWithFfmpeg({ url: first.publishUrl(stream), video }));
    await eventually(async () => (await api.stateOf(stream)) === 'live', 'the state is live');
    const engines = descendantsOf(first.program.pid).filter(({ command }) => command.includes('engine-process'));
    expect(engines).toHaveLength(1);
    first.program.process.kill('SIGKILL');
    await first.program.ended;
    await eventually(() => engines.every(({ pid }) => !isAlive(pid)), 'its ClickHouse engine is gone', 5_000);
    await eventually(() => !encoder.running, 'the encoder notices');

    const startedMs = performance.now();
    const second = keep(await startStandalone({ dataDir: data.path }));
    const readyMs = performance.now() - startedMs;
    expect(second.signInCode).toBeUndefined(); // somebody has signed in before
    const again = keep(pushWithFfmpeg({ url: second.publishUrl(stream), video }));
    const followed = keep(await followStream(second.hlsUrl(stream)));
    const playableMs = performance.now() - startedMs;
    console.log(`after kill -9: ready in ${Math.round(readyMs)} ms, playable after ${Math.round(playableMs)} ms`);
    const later = new RestClient(second.httpUrl, api.token);
    expect((await later.expect('GET', `/streams/${stream.id}`))['title']).toBe('Survivor');
    await eventually(async () => (await later.stateOf(stream)) === 'live', 'the state is live');
    await eventually(() => followed.rendition('video').playlists.length > 10, 'the stream is listed');
    expect(again.running).toBe(true);
    expect(followed.mistakes()).toEqual([]);
  });

  it('has broadcasts going on, and beginning, after PostgreSQL was killed', async () => {
    const server = keep(await startStandalone());
    const api = await server.signIn();
    const [running, next] = [await api.createStream('Running'), await api.createStream('Next')];
    keep(pushWithFfmpeg({ url: server.publishUrl(running), video }));
    const before = keep(await followStream(server.hlsUrl(running)));
    await eventually(async () => (await api.stateOf(running)) === 'live', 'the state is live');
    const postmaster = processesNaming(server.dataDir).filter(({ command }) => /postgres.* -D /.test(command));
    expect(postmaster.length).toBeGreaterThan(0);
    for (const { pid } of postmaster) process.kill(pid, 'SIGKILL');
    const encoder = keep(pushWithFfmpeg({ url: server.publishUrl(next), video }));
    const after = keep(await followStream(server.hlsUrl(next)));
    const at = before.rendition('video').playlists.length;
    await eventually(() => before.rendition('video').playlists.length > at + 10, 'the running stream goes on');
    await eventually(() => after.rendition('video').playlists.length > 10, 'the next stream is listed');
    expect(encoder.running).toBe(true);
    expect([...before.mistakes(), ...after.mistakes()]).toEqual([]);
    await eventually(
      async () => (await api.call('GET', `/streams/${next.id}`)).body['state'] === 'live',
      'the database is back',
      20_000,
    );
  });

  it('is told plainly when a port is in use, and which', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '0.0.0.0', resolve));
    const { port } = taken.address() as { port: number };
    const starts = ['HTTP_PORT', 'RTMP_PORT'].map(async (setting) => {
      const data = keep(await openDataDir());
      const program = keep(
        startMain('standalone', { DATA_DIR: data.path, HTTP_PORT: '0', RTMP_PORT: '0', [setting]: String(port) }),
      );
      await eventually(() => !program.running, 'it ends', 30_000);
      const said = `${program.stdout()}\n${program.stderr()}`;
      expect((await program.ended).code).toBe(1);
      expect(said).toContain(`${port}`);
      expect(said).toMatch(/in use/i);
      expect(said).toContain(setting);
      expect(processesNaming(data.path)).toEqual([]);
    });
    await Promise.all(starts);
    taken.close();
  });

  it('is told all mistakes in the settings at once, with exit code 64', async () => {
    const data = keep(await openDataDir());
    const program = keep(startMain('standalone', { DATA_DIR: data.path, HTTP_PORT: 'eighty', RTMP_PORT: '99999' }));
    await eventually(() => !program.running, 'it ends', 30_000);
    expect((await program.ended).code).toBe(64);
    expect(program.stderr()).toContain('HTTP_PORT');
    expect(program.stderr()).toContain('RTMP_PORT');
  });
});

describe('who operates a server that runs', () => {
  const after: AsyncDisposable[] = [];
  let server: Standalone;
  let api: RestClient;
  beforeAll(async () => {
    server = await startStandalone();
    api = await server.signIn();
  });
  afterEach(async () => {
    for (const resource of after.splice(0).reverse()) await resource[Symbol.asyncDispose]();
  });
  afterAll(() => server?.[Symbol.asyncDispose]());
  const keep = <T extends AsyncDisposable>(resource: T): T => {
    after.push(resource);
    return resource;
  };

  it('has broadcasters going live while PostgreSQL stands still', async () => {
    const stream = await api.createStream('Without a database');
    // The key has reached ingest when a first publish is taken.
    const probe = keep(pushWithFfmpeg({ url: server.publishUrl(stream), video }));
    await eventually(async () => (await api.stateOf(stream)) === 'live', 'the state is live');
    await probe.stop('SIGTERM');
    const postgres = processesNaming(server.dataDir).filter(({ command }) => command.includes('postgres'));
    const family = new Set(postgres.flatMap(({ pid }) => [pid, ...descendantsOf(pid).map((child) => child.pid)]));
    expect(family.size).toBeGreaterThan(0);
    for (const pid of family) process.kill(pid, 'SIGSTOP');
    try {
      const encoder = keep(pushWithFfmpeg({ url: server.publishUrl(stream), video }));
      const followed = keep(await followStream(server.hlsUrl(stream)));
      await eventually(() => followed.rendition('video').playlists.length > 15, 'the stream goes on');
      expect(encoder.running).toBe(true);
      expect(followed.mistakes()).toEqual([]);
      await followed.stop();
    } finally {
      for (const pid of family) process.kill(pid, 'SIGCONT');
    }
    await eventually(async () => (await api.stateOf(stream)) === 'live', 'control learns of it afterwards', 15_000);
  });

  it('scrapes metrics that parse line by line, and asks for health', async () => {
    const stream = await api.createStream('Counted');
    keep(pushWithFfmpeg({ url: server.publishUrl(stream), video }));
    const followed = keep(await followStream(server.hlsUrl(stream)));
    await eventually(() => followed.rendition('video').playlists.length > 5, 'the stream is listed');
    const answer = await fetch(`${server.httpUrl}/metrics`);
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const families = readMetrics(await answer.text());
    for (const { name, help, type, samples } of families) {
      expect(help, name).not.toBe('');
      expect(['counter', 'gauge', 'histogram', 'summary'], name).toContain(type);
      if (name.startsWith('millrace_')) {
        expect(name).toMatch(/^millrace_[a-z]+_[a-z0-9_]+$/);
        if (type === 'counter') expect(name).toMatch(/_total$/);
      }
      for (const { labels } of samples) {
        for (const [label, value] of Object.entries(labels)) {
          expect(`${label}=${value}`).not.toMatch(/(str|pub|ses|play|key)_[0-7][0-9a-z]{25}|mk_/);
        }
      }
    }
    for (const service of ['control', 'ingest', 'transcode', 'delivery']) {
      expect(
        families.some(({ name }) => name.startsWith(`millrace_${service}_`)),
        service,
      ).toBe(true);
    }
    expect((await fetch(`${server.httpUrl}/healthz`)).status).toBe(200);
    expect((await fetch(`${server.httpUrl}/readyz`)).status).toBe(200);
    expect((await fetch(`${server.httpUrl}/api/v1/openapi.json`)).status).toBe(200);
    expect((await fetch(`${server.httpUrl}/docs`)).status).toBe(200);
  });

  it('is scraped by a real Prometheus, to which every metric of ours is as it should be', async () => {
    await using prometheus = await startPrometheus([{ url: server.httpUrl, labels: { service: 'standalone' } }]);
    await eventually(async () => (await prometheus.query('up == 1')).length === 1, 'it is scraped', 10_000);
    expect(await prometheus.down()).toEqual([]);
    for (const name of ['hub_sockets', 'hub_viewers', 'eventlog_lag_records', 'eventlog_appended_records_total']) {
      await eventually(
        async () => (await prometheus.query(`millrace_${name}`)).length > 0,
        `millrace_${name} is scraped`,
      );
    }
    const text = await (await fetch(`${server.httpUrl}/metrics`)).text();
    const checked = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    // Node's own metrics have names of their own.
    const found = `${checked.stdout}${checked.stderr}`.split('\n').filter((line) => line.startsWith('millrace_'));
    expect(found).toEqual([]);
  });

  it('presses Ctrl-C in the middle of a broadcast: it drains, and no child is left', async () => {
    const stream = await api.createStream('Drained');
    keep(pushWithFfmpeg({ url: server.publishUrl(stream), video }));
    const followed = keep(await followStream(server.hlsUrl(stream)));
    await eventually(() => followed.rendition('video').playlists.length > 5, 'the stream is listed');
    const children = descendantsOf(server.program.pid).map(({ pid }) => pid);
    expect(children.length).toBeGreaterThan(0);
    const startedMs = performance.now();
    const { code } = await server.program.stop('SIGINT', 25_000);
    console.log(`drained in ${Math.round(performance.now() - startedMs)} ms`);
    expect(code).toBe(0);
    expect(processesNaming(server.dataDir)).toEqual([]);
    await eventually(() => children.every((pid) => !isAlive(pid)), 'the children are gone', 15_000);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
