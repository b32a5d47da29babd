import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@millrace/log';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { imageFormats, mediaFormats } from './ffmpeg-input.ts';
import { probeFile, readPackets } from './probe-file.ts';
import { runFfmpeg } from './run-ffmpeg.ts';

let folder = '';
let server: Server;
let port = 0;
let visits = 0;
const signal = new AbortController().signal;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-hostile-'));
  execFileSync('ffmpeg', [
    '-v',
    'error',
    '-f',
    'lavfi',
    '-i',
    'testsrc2=size=64x36',
    '-t',
    '1',
    join(folder, 'secret.ts'),
  ]);
  execFileSync('ffmpeg', [
    '-v',
    'error',
    '-i',
    join(folder, 'secret.ts'),
    '-frames:v',
    '1',
    join(folder, 'secret1.png'),
  ]);
  server = createServer((socket) => {
    visits++;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
});
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true, force: true });
});

/** Uploads that name another file (`secret`) or a host (`there`); each is what a demuxer of ffmpeg takes gladly. */
const uploads: Record<string, (secret: string, there: string) => string> = {
  'an HLS playlist of a local file': (secret) =>
    `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://${secret}\n#EXT-X-ENDLIST\n`,
  'an HLS playlist of a host': (_, there) =>
    `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n${there}/x.ts\n#EXT-X-ENDLIST\n`,
  'an HLS playlist by concat protocol': (secret, there) =>
    `#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:1,\nconcat:${there}/head|file://${secret}\n#EXT-X-ENDLIST\n`,
  'a concat script': (secret) => `ffconcat version 1.0\nfile '${secret}'\n`,
  'a concat script of a host': (_, there) => `ffconcat version 1.0\nfile ${there}/x.ts\n`,
  'a DASH presentation': (_, there) =>
    `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT1S"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>${there}/x.mp4</BaseURL></Representation></AdaptationSet></Period></MPD>`,
  'a session description': (_, there) =>
    `v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video ${there.split(':').at(-1)} RTP/AVP 96\na=rtpmap:96 H264/90000\n`,
  'an ffmetadata script': () => ';FFMETADATA1\ntitle=x\n',
  'a drawing that names a file': (secret) =>
    `<svg xmlns="http://www.w3.org/2000/svg" width="64" height="36"><image href="file://${secret}" width="64" height="36"/></svg>`,
  'a smooth streaming list': (_, there) => `[Reference]\nRef1=${there}/x.asf\n`,
};

it('a file that names others is refused whatever it is called, and nothing that it names is opened', async () => {
  const refusals = Object.entries(uploads).map(async ([what, textOf], i) => {
    const text = textOf(join(folder, 'secret.ts'), `http://127.0.0.1:${port}`);
    const [film, list] = [join(folder, `upload-${i}.mp4`), join(folder, `upload-${i}.m3u8`)];
    await writeFile(film, text);
    await writeFile(list, text);
    const probed = await probeFile(film, { signal, log: silentLogger, formats: [...mediaFormats, ...imageFormats] });
    expect(probed, what).toMatchObject({ ok: false, error: { kind: 'failed' } });
    const inputs = [{ kind: 'file' as const, path: list }];
    const run = await runFfmpeg({ inputs, args: ['-f', 'null', '-'], signal, log: silentLogger });
    expect(run, what).toMatchObject({ ok: false, error: { kind: 'failed' } });
  });
  await Promise.all(refusals);
  expect(visits).toBe(0);
});

it('without the guard ffmpeg does visit the host that such a file names: the test would notice', async () => {
  const list = join(folder, 'unguarded.m3u8');
  await writeFile(list, uploads['an HLS playlist of a host']?.('', `http://127.0.0.1:${port}`) ?? '');
  const unguarded = execFile('ffmpeg', ['-v', 'quiet', '-protocol_whitelist', 'file,http,tcp', '-i', list]);
  await once(unguarded, 'close');
  expect(visits).toBeGreaterThan(0);
  visits = 0;
});

it('a name with a pattern in it is a name, not a sequence of pictures', async () => {
  const path = join(folder, 'secret%d.png');
  expect((await probeFile(path, { signal, log: silentLogger, formats: imageFormats })).ok).toBe(false);
  const real = await probeFile(join(folder, 'secret1.png'), { signal, log: silentLogger, formats: imageFormats });
  expect(real).toMatchObject({ ok: true, value: { video: { codec: 'png', width: 64, height: 36 } } });
});

it('what is allowed can be read: the guard itself refuses nothing', async () => {
  const probed = await probeFile(join(folder, 'secret.ts'), { signal, log: silentLogger });
  expect(probed).toMatchObject({ ok: true, value: { format: 'mpegts', video: { width: 64 } } });
});

it('packets of a file without presentation times have their decode times', async () => {
  const path = join(folder, 'old.avi');
  const coding = ['-c:v', 'mpeg4', '-bf', '2', '-g', '10'];
  execFileSync('ffmpeg', ['-v', 'error', '-i', join(folder, 'secret.ts'), ...coding, path]);
  const times: (number | undefined)[] = [];
  const onPacket = ({ ptsMs }: { readonly ptsMs: number | undefined }) => times.push(ptsMs);
  expect(await readPackets(path, onPacket, { signal, log: silentLogger })).toMatchObject({ ok: true });
  expect(times.length).toBe(25);
  for (const time of times) expect(time).toBeTypeOf('number');
});
