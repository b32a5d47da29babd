/** Videos to work on: made by ffmpeg, uploaded in one request. */
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StandaloneServer } from '../../rig/standalone-server.ts';

export interface PictureShape {
  readonly seconds: number;
  readonly size: string;
  readonly silent?: boolean;
}

/** Writes a moving test picture with a tone, a keyframe every two seconds. */
export function makeVideo(path: string, { seconds, size, silent = false }: PictureShape): void {
  const source = `testsrc2=size=${size}:rate=30:duration=${seconds}`;
  const sound = `sine=frequency=440:sample_rate=48000:duration=${seconds}`;
  const picture = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '60', '-pix_fmt', 'yuv420p'];
  const heard = silent ? [] : ['-f', 'lavfi', '-i', sound];
  const inputs = ['-f', 'lavfi', '-i', source, ...heard];
  const done = spawnSync('ffmpeg', ['-v', 'error', '-y', ...inputs, ...picture, '-c:a', 'aac', '-shortest', path]);
  if (done.status !== 0) throw new Error(`ffmpeg: ${done.stderr.toString()}`);
}

/** Uploads a file as the original of a new video; processing starts by itself where `process` is true. */
export async function uploadVideo(server: StandaloneServer, path: string, process: boolean): Promise<string> {
  const made = await server.api.call('POST', '/videos', { title: 'bench', process });
  const { video_id: id } = made['video'] as { video_id: string };
  const bytes = await readFile(path);
  const answer = await fetch(`${server.httpUrl}/api/v1/uploads`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${server.api.token}`,
      'tus-resumable': '1.0.0',
      'upload-length': String(bytes.length),
      'upload-metadata': `video_id ${Buffer.from(id).toString('base64')}`,
      'content-type': 'application/offset+octet-stream',
    },
    body: bytes,
  });
  if (answer.status !== 201) throw new Error(`upload: ${answer.status} ${await answer.text()}`);
  await until(server, `/videos/${id}`, (video) => video['source_state'] === 'ready');
  return id;
}

/** Asks until `holds`; gives the answer. */
export async function until(
  server: StandaloneServer,
  path: string,
  holds: (answer: Readonly<Record<string, unknown>>) => boolean,
  { everyMs = 20, withinMs = 300_000 } = {},
): Promise<Readonly<Record<string, unknown>>> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const answer = await server.api.call('GET', path);
    if (holds(answer)) return answer;
    if (performance.now() > deadline) throw new Error(`${path}: ${JSON.stringify(answer).slice(0, 2_000)}`);
    await sleep(everyMs);
  }
}

export const hasEnded = (answer: Readonly<Record<string, unknown>>) =>
  ['completed', 'failed', 'cancelled'].includes(String(answer['status']));
