import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SpecOf } from '@millrace/api';
import { silentLogger } from '@millrace/log';
import { type MediaStore, openFolderStore } from '@millrace/media-store';
import { expectOk } from '@millrace/result';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { defaultEncoder } from './encoder-settings.ts';
import { createThumbnailTask } from './thumbnail-task.ts';

const thumbnail = createThumbnailTask({ ...defaultEncoder, threads: 1, niceness: 0 });
const output = 'images/a/img_1.webp';

let folder = '';
let store: MediaStore;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-thumbnail-'));
  store = await openFolderStore({ folder: join(folder, 'media') });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function attempt(over: Partial<SpecOf<'thumbnail'>>, signal = new AbortController().signal) {
  const spec: SpecOf<'thumbnail'> = {
    ...{ kind: 'thumbnail', image: 'images/a/img_1', content_type: 'image/png', width: 640, height: 480 },
    ...{ orientation: 1, side: 160, output, ...over },
  };
  const scratch = await mkdtemp(join(folder, 'scratch-'));
  return thumbnail(spec, { signal, scratch, store, log: silentLogger, inputs: [], report: () => {} });
}

/** Makes a picture of `graph`, and its thumbnail as rows of RGBA pixels. */
async function thumbnailOf(name: string, graph: string, over: Partial<SpecOf<'thumbnail'>> = {}) {
  const path = join(folder, name);
  execFileSync('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', graph, '-frames:v', '1', path]);
  expectOk(await store.putFile('images/a/img_1', path), 'put');
  const made = expectOk(await attempt(over), name);
  const file = store.localPath(output) ?? '';
  expect((await readFile(file)).toString('latin1', 8, 12)).toBe('WEBP');
  expect((await readFile(file)).length).toBe(made.bytes);
  const raw = execFileSync('ffmpeg', ['-v', 'error', '-i', file, '-f', 'rawvideo', '-pix_fmt', 'rgba', '-']);
  expect(raw.length).toBe(made.width * made.height * 4);
  const at = (x: number, y: number) => [...raw.subarray((y * made.width + x) * 4, (y * made.width + x) * 4 + 4)];
  return { ...made, at };
}

/** Red on the left and blue on the right. */
const halves = 'color=red:size=640x480,drawbox=x=320:y=0:w=320:h=480:color=blue:t=fill';
const red = [expect.closeTo(255, -1.5), expect.closeTo(0, -1.5), expect.closeTo(0, -1.5), 255];
const blue = [expect.closeTo(0, -1.5), expect.closeTo(0, -1.5), expect.closeTo(255, -1.5), 255];

it('a thumbnail shows the whole picture, upright', async () => {
  const plain = await thumbnailOf('plain.jpg', halves, { content_type: 'image/jpeg' });
  expect([plain.width, plain.height, plain.at(20, 60), plain.at(140, 60)]).toEqual([160, 120, red, blue]);
  // as a phone held upright stores it: the top of what is shown is on the left of what is stored
  const upright = await thumbnailOf('upright.jpg', halves, { orientation: 6 });
  expect([upright.width, upright.height, upright.at(60, 20), upright.at(60, 140)]).toEqual([120, 160, red, blue]);
  const mirrored = await thumbnailOf('mirrored.webp', halves, { orientation: 2 });
  expect([mirrored.at(20, 60), mirrored.at(140, 60)]).toEqual([blue, red]);
});

it('what can be seen through stays so, and its colour does not show at its edges', async () => {
  const graph = "color=white:size=640x480,format=rgba,geq=r=255:g=0:b='if(lt(X,322),255,0)':a='if(lt(X,322),0,255)'";
  const cut = await thumbnailOf('cut.png', graph);
  expect(cut.at(20, 60)[3]).toBe(0);
  expect(cut.at(140, 60)).toEqual([expect.closeTo(255, -1.5), expect.closeTo(0, -1.5), expect.closeTo(0, -1.5), 255]);
  const edge = cut.at(80, 60);
  expect(edge[3]).toBeGreaterThan(80);
  expect(edge[3]).toBeLessThan(170);
  expect(edge[2]).toBeLessThan(15); // magenta is what nobody sees
});

it('a small picture stays as it is, a strip keeps a pixel, of a GIF the first picture counts', async () => {
  expect(await thumbnailOf('small.png', 'color=red:size=30x20', { width: 30, height: 20 })).toMatchObject({
    width: 30,
    height: 20,
  });
  expect(
    await thumbnailOf('strip.png', 'color=red:size=4000x2,format=rgb24,crop=4000:1', { width: 4_000, height: 1 }),
  ).toMatchObject({
    width: 160,
    height: 1,
  });
  const moving = await thumbnailOf('moving.gif', halves);
  expect([moving.width, moving.at(20, 60)]).toEqual([160, red]);
});

it('what is no picture, or is not there, is refused for good, and leaves nothing', async () => {
  const path = join(folder, 'x.png');
  await writeFile(path, 'no picture');
  expectOk(await store.putFile('images/x/img_2', path), 'put');
  const none = { output: 'images/x/img_2.webp' };
  expect(await attempt({ image: 'images/x/img_2', ...none })).toMatchObject({
    error: { code: 'bad-media', retryable: false },
  });
  expect(await attempt({ image: 'images/x/img_3', ...none })).toMatchObject({
    error: { code: 'file-missing', retryable: false },
  });
  const stop = new AbortController();
  stop.abort(new Error('cancelled'));
  await expect(attempt(none, stop.signal)).rejects.toThrow('cancelled');
  expect(await store.get('images/x/img_2.webp')).toMatchObject({ ok: false });
});
