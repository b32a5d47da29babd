/** nginx with its RTMP module (Debian: nginx, libnginx-mod-rtmp), making HLS of 2 s fragments: the thing to compare with. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChild } from '../../rig/child.ts';
import { freePort } from '../../rig/free-port.ts';
import { findOnPath } from '../../setup/programs.mjs';

export interface NginxRtmp extends AsyncDisposable {
  readonly pid: number;
  readonly rtmpUrl: string;
}

const module = '/usr/lib/nginx/modules/ngx_rtmp_module.so';

/** Whether nginx and its module are installed. */
export function nginxRtmpIsInstalled(): boolean {
  return findOnPath(['nginx'], `${process.env['PATH']}:/usr/sbin`) !== undefined && existsSync(module);
}

/** Starts nginx with one worker on a free port. */
export async function startNginxRtmp(): Promise<NginxRtmp> {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-nginx-'));
  // As root, nginx's workers run as another user and have to reach this folder.
  for (const name of ['hls', 'logs', 'body']) mkdirSync(join(dir, name));
  const port = await freePort();
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  writeFileSync(
    join(dir, 'nginx.conf'),
    `load_module ${module};
${user}
worker_processes 1;
daemon off;
pid ${dir}/nginx.pid;
error_log ${dir}/error.log warn;
events { worker_connections 1024; }
rtmp {
  access_log off;
  server {
    listen 127.0.0.1:${port};
    chunk_size 4096;
    application live {
      live on;
      hls on;
      hls_path ${dir}/hls;
      hls_fragment 2s;
      hls_playlist_length 12s;
    }
  }
}
`,
  );
  const path = `${process.env['PATH']}:/usr/sbin`;
  const child = startChild('nginx', ['-p', dir, '-c', join(dir, 'nginx.conf')], { env: { PATH: path } });
  const deadline = performance.now() + 5_000;
  while (!(await accepts(port))) {
    if (child.process.exitCode !== null || performance.now() > deadline)
      throw new Error(`nginx did not start: ${child.log()}`);
    await sleep(20);
  }
  return {
    pid: child.pid,
    rtmpUrl: `rtmp://127.0.0.1:${port}/live`,
    [Symbol.asyncDispose]: async () => {
      await child[Symbol.asyncDispose]();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
