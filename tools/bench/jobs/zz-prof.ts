import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openSql } from '@millrace/postgres';
import { processTree, usageDuring } from '../../rig/process-usage.ts';
import { startStandalone } from '../../rig/standalone-server.ts';
import { percentile } from '../live/percentile.ts';
import { hasEnded, makeVideo, until, uploadVideo } from './media.ts';

const rates = (process.argv[2] ?? '50,300').split(',').map(Number);
const seconds = Number(process.argv[3] ?? 8);
const prof = process.argv[4] === 'prof';
const stats = process.argv.includes('stats');
const busy = process.argv.includes('busy');
const dir = mkdtempSync(join(tmpdir(), 'mr-prof-'));
if (prof) {
  mkdirSync('/tmp/prof/cpu', { recursive: true });
  process.execPath = '/tmp/prof/node.sh';
}
const settings = {
  DATA_DIR: join(dir, 'data'),
  LOG_LEVEL: 'warn',
  PROGRESS_MAX_QUEUED_JOBS: '100000',
  PROGRESS_MAX_ACTIVE_JOBS: '1000',
  TRANSCODE_JOB_SLOTS: '1',
};
{
  await using server = await startStandalone(settings);

  const path = join(dir, 'tiny.mp4');
  makeVideo(path, { seconds: 2, size: '160x90' });
  const ids = [await uploadVideo(server, path, true), await uploadVideo(server, path, true)];
  for (const id of ids) await until(server, `/videos/${id}`, hasEnded);
  if (!busy) {
    const long = join(dir, 'long.mp4');
    makeVideo(long, { seconds: 60, size: '640x360' });
    await uploadVideo(server, long, true);
    for (;;) {
      const ff = processTree(server.pid).filter((p) => p.command === 'ffmpeg');
      if (ff.length > 0) {
        await sleep(300);
        const f2 = processTree(server.pid).filter((p) => p.command === 'ffmpeg');
        if (f2.length > 0) {
          for (const p of f2) process.kill(p.pid, 'SIGSTOP');
          console.log(
            'stopped',
            f2.map((p) => p.pid),
          );
          await sleep(1500);
          const f3 = processTree(server.pid).filter((p) => p.command === 'ffmpeg');
          if (f3.some((p) => f2.some((q) => q.pid === p.pid))) break;
        }
      }
      await sleep(20);
    }
  }
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const sampler = process.argv.includes('waits') ? startSampler(dir) : undefined;
  for (const perSecond of rates) {
    const lat: number[] = [];
    const codes = new Map<number, number>();
    const n = perSecond * seconds;
    const c0 = process.cpuUsage();
    let wall = 0;
    const usage = await usageDuring(server.pid, async () => {
      const t0 = performance.now() + 100;
      const open: Promise<void>[] = [];
      for (let i = 0; i < n; i++) {
        const due = t0 + (i * 1000) / perSecond;
        const w = due - performance.now();
        if (w > 1) await sleep(w);
        open.push(
          post(agent, server, ids).then((s) => {
            lat.push(performance.now() - due);
            codes.set(s, (codes.get(s) ?? 0) + 1);
          }),
        );
      }
      await Promise.all(open);
      wall = performance.now() - t0;
    });
    const c = process.cpuUsage(c0);
    console.log(
      perSecond,
      Object.fromEntries(codes),
      'p50',
      percentile(lat, 0.5).toFixed(1),
      'p99',
      percentile(lat, 0.99).toFixed(1),
      'max',
      Math.max(...lat).toFixed(0),
      `done/s ${((n * 1000) / wall).toFixed(0)}`,
      `server ${usage.server.cores.toFixed(2)} pg ${usage.postgres.cores.toFixed(2)} client ${((c.user + c.system) / 1000 / wall).toFixed(2)} cores`,
    );
  }
  await sampler?.stop();
  agent.destroy();
  if (stats) {
    const sock = execFileSync('sh', [
      '-c',
      `find ${dir} /tmp -maxdepth 6 -name '.s.PGSQL.5432' 2>/dev/null | head -3`,
    ]).toString();
    console.log('sockets', sock);
  }
}
rmSync(dir, { recursive: true, force: true });
async function post(agent: Agent, server: any, videos: string[]): Promise<number> {
  const text = JSON.stringify({ videos });
  const headers = {
    authorization: `Bearer ${server.api.token}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  };
  return new Promise((resolve, reject) => {
    const sent = request(`${server.httpUrl}/api/v1/compositions`, { method: 'POST', agent, headers }, (a) => {
      a.resume().once('end', () => resolve(a.statusCode ?? 0));
    });
    sent.once('error', reject);
    sent.end(text);
  });
}

function startSampler(dir: string) {
  const sql = openSql(
    'postgres://millrace@localhost:5432/postgres?host=' + encodeURIComponent(join(dir, 'data/postgres/run')),
    { applicationName: 'sampler', maxConnections: 1 },
  );
  const seen = new Map<string, number>();
  const timer = setInterval(async () => {
    const rows =
      await sql`SELECT state, wait_event_type AS t, wait_event AS e, left(regexp_replace(query, '\\s+', ' ', 'g'), 70) AS q FROM pg_stat_activity WHERE backend_type = 'client backend' AND state <> 'idle' AND application_name <> 'sampler'`.catch(
        (e) => {
          console.log(String(e));
          return [];
        },
      );
    for (const r of rows as any[]) {
      const k = `${r.state} ${r.t}/${r.e} ${r.q}`;
      seen.set(k, (seen.get(k) ?? 0) + 1);
    }
  }, 25);
  return {
    stop: async () => {
      clearInterval(timer);
      console.log(
        [...seen]
          .sort((a, b) => b[1] - a[1])
          .slice(0, 14)
          .map(([k, n]) => `${n} ${k}`)
          .join('\n'),
      );
      await sql.end({ timeout: 1 });
    },
  };
}
