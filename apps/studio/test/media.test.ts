import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as api from '@millrace/api';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from './eventually.ts';
import { adminToken } from './fake-api.ts';
import { FakeHub } from './fake-hub.ts';
import { FakeMedia, step } from './fake-media.ts';
import { Site, type Visitor } from './site.ts';

let site: Site;
/** A file to upload: what it is made of does not matter here. */
let movie: string;
let picture: string;
beforeAll(async () => {
  site = await Site.open({ encode: false, vod: true });
  movie = join(site.dir, 'vod/video/index0.m4s');
  picture = join(site.dir, 'vod/poster.jpg');
});
afterAll(() => site?.[Symbol.asyncDispose]());
beforeEach(() => {
  site.api.clear();
  site.uploads.all.clear();
  Object.assign(site.uploads, { away: false, breakAfter: undefined });
  site.uploads.onWhole = (videoId) => site.api.media.start(videoId);
});

async function signedIn(visit: (visitor: Visitor) => Promise<void>, options = {}): Promise<void> {
  const visitor = await site.visitor(options);
  try {
    const expires_at = new Date(Date.now() + 3_600_000).toISOString();
    const session = { token: adminToken, role: site.api.role, owner_id: 'own_1', expires_at };
    await visitor.context.addInitScript(
      (stored) => localStorage.setItem('millrace.session', stored),
      JSON.stringify(session),
    );
    await visit(visitor);
    expect(visitor.complaints).toEqual([]);
  } finally {
    await visitor.context.close();
  }
}

const choose = (page: Page, file: string) => page.locator('input[type=file]').setInputFiles(file);

describe('the page of videos', () => {
  it('uploads, goes on after the network broke and after a reload, and shows the processing live', async () => {
    const { size } = await import('node:fs').then(({ statSync }) => statSync(movie));
    await signedIn(async ({ page, complaints }) => {
      await page.goto('/videos');
      await page.getByText('Drop your first video here').waitFor();
      site.uploads.breakAfter = Math.floor(size / 2);
      await choose(page, movie);
      await page.getByText('goes on by itself when it is back').waitFor();
      page.on('dialog', (dialog) => void dialog.accept()); // the page asks before it is left
      await page.reload();
      site.uploads.away = false;
      await page.reload();
      await page.getByText('Unfinished from an earlier visit').waitFor();
      await choose(page, movie);
      await page.getByText('uploaded, processing begins').waitFor();
      expect(site.api.media.videos.size).toBe(1);
      expect([...site.uploads.all.values()].map(({ received, bytes }) => received === bytes)).toEqual([true]);
      const [video] = site.api.media.videos.values();
      site.api.media.move(video?.video_id ?? '', {
        status: 'processing',
        progress: 42,
        phase: 'encoding the ladder',
        eta_ms: 61_000,
      });
      const card = page.locator('.video-card');
      await card.getByText('Encoding the ladder · 42 % · about 1 min left').waitFor();
      site.api.media.move(video?.video_id ?? '', { status: 'completed', progress: 100 });
      await card.getByText('Ready', { exact: true }).waitFor();
      await eventually(() => card.locator('img').evaluate((img: HTMLImageElement) => img.naturalWidth)).toBeGreaterThan(
        0,
      );
      complaints.length = 0; // the browser reports the broken requests
    });
  });

  it('filters, searches and pages, with all of it in the address', async () => {
    for (let i = 0; i < 26; i++) site.api.media.seed({ title: `Lesson ${i}` });
    const failed = site.api.media.seed({
      ...{ title: 'Broken', status: 'failed', progress: 12 },
      error: { step: 'probe', code: 'bad-media', reason: 'there is no picture and no sound in it' },
    });
    await signedIn(async ({ page }) => {
      await page.goto('/videos');
      const cards = page.locator('.video-card');
      await eventually(() => cards.count()).toBe(24);
      await page.getByRole('button', { name: 'Show more' }).click();
      await eventually(() => cards.count()).toBe(27);
      await page.getByLabel('Status').selectOption({ label: 'Failed' });
      await eventually(() => cards.allInnerTexts()).toEqual([expect.stringContaining(failed.title)]);
      await page.getByLabel('Search by title').fill('lesson');
      await page.getByRole('heading', { name: 'Nothing matches' }).waitFor();
      expect(page.url()).toContain('?status=failed&title=lesson');
      await page.getByRole('link', { name: 'Show all videos' }).click();
      await eventually(() => cards.count()).toBe(24);
    });
  });

  it('imports from a URL, and says why an address is refused', async () => {
    await signedIn(async ({ page, complaints }) => {
      await page.goto('/videos');
      await page.getByRole('button', { name: 'Import from a URL' }).click();
      const address = page.getByLabel('Address of the video file');
      await address.fill('http://10.0.0.1/talk.mp4');
      await page.getByRole('button', { name: 'Import', exact: true }).click();
      await page.getByText('Expected an address on the public internet').waitFor();
      await address.fill('https://example.org/Annual%20talk.mp4');
      await page.getByRole('button', { name: 'Import', exact: true }).click();
      await page.getByRole('heading', { name: 'Annual talk' }).waitFor();
      await page.getByText('The file is being fetched').waitFor();
      const [video] = site.api.media.videos.values();
      site.api.media.moveImport(video?.video_id ?? '', { received: 12_000_000, total: 40_000_000 });
      await page.getByText('Fetching the file · 12 MB of 40 MB · about 10 s left').waitFor();
      expect(await page.getByRole('progressbar', { name: 'Import of Annual talk' }).getAttribute('value')).toBe('30');
      complaints.length = 0; // the browser reports the 422
    });
  });
});

describe('the page of a video', () => {
  it('plays with subtitles, and loads no player before it is asked to play', async () => {
    const video = site.api.media.seed();
    await signedIn(async ({ page }) => {
      const asked: string[] = [];
      page.on('request', (request) => asked.push(new URL(request.url()).pathname));
      await page.goto(`/videos/${video.video_id}`);
      await page.getByRole('button', { name: 'Play', exact: true }).waitFor();
      expect(asked.filter((path) => /hls-vod|\.m3u8/.test(path))).toEqual([]);
      await page.getByRole('button', { name: 'Play', exact: true }).click();
      await page.waitForFunction(() => (window.millrace?.video.currentTime ?? 0) > 0.3);
      await page.getByRole('button', { name: 'Subtitles, English', exact: true }).click();
      const cue = () =>
        page.evaluate(() => {
          const track = [...(window.millrace?.video.textTracks ?? [])].find(({ mode }) => mode === 'showing');
          return track?.activeCues?.[0] instanceof VTTCue ? track.activeCues[0].text : undefined;
        });
      await eventually(cue).toBe('Hello from the mill');
      await page.getByRole('slider', { name: 'Position' }).fill('4');
      await page.waitForFunction(() => (window.millrace?.video.currentTime ?? 0) > 4);
      await eventually(() => site.reports.some(({ path }) => path === `/vod/${video.playback_id}/cmcd`)).toBe(true);
    });
  });

  it('moves its steps by the hub, says why one was skipped, cancels, and starts over after a question', async () => {
    const video = site.api.media.seed({ status: 'pending', progress: 0, playback: null, media: null });
    await signedIn(async ({ page }) => {
      await page.goto(`/videos/${video.video_id}`);
      await page.getByRole('button', { name: 'Process', exact: true }).click();
      await page.getByText('Waiting for a worker').waitFor();
      const done = { ...step('probe', 5), status: 'completed' as const, progress: 100 };
      const skipped = { ...step('subtitles', 20), status: 'skipped' as const, reason: 'there is no model for fr' };
      const ladder = { ...step('ladder', 50), status: 'processing' as const, progress: 37 };
      site.api.media.move(video.video_id, {
        ...{ status: 'processing', progress: 31, phase: 'encoding the ladder', eta_ms: 20_000 },
        steps: [done, step('audio', 10), skipped, step('poster', 10), ladder, step('publish', 5)],
      });
      await page.getByRole('progressbar', { name: 'Processing of Holiday' }).waitFor();
      await page.getByText('there is no model for fr').waitFor();
      await eventually(() => page.locator('.step-processing').innerText()).toMatch(/Encode the renditions\s+37 %/);
      await page.getByRole('button', { name: 'Start over' }).click();
      await page.getByRole('button', { name: 'Leave it running' }).click();
      await page.getByRole('button', { name: 'Start over' }).click();
      await page.getByRole('button', { name: 'Stop and start over' }).click();
      await page.getByText('Waiting for a worker').waitFor();
      expect(site.api.media.asked.at(-1)).toMatch(/reprocess \{"force":true\}$/);
      await page.getByRole('button', { name: 'Cancel', exact: true }).click();
      await page.getByRole('button', { name: 'Cancelling…' }).waitFor();
      site.api.media.move(video.video_id, { status: 'cancelled', cancelling: false });
      await page.getByText('This run was cancelled').waitFor();
    });
  });

  it('says what failed and what to do, and makes new subtitles only', async () => {
    const failed = site.api.media.seed({ title: 'Broken', status: 'failed' });
    const video = site.api.media.seed({ title: 'Talk' });
    site.api.media.start(failed.video_id);
    const error = { step: 'probe', code: 'unreadable-media', reason: 'moov atom not found' };
    site.api.media.move(failed.video_id, { status: 'failed', progress: 3, error });
    await signedIn(async ({ page }) => {
      await page.goto(`/videos/${failed.video_id}`);
      await page.getByText(/Read the file: moov atom not found\. Check that the file plays elsewhere/).waitFor();
      await page.goto(`/videos/${video.video_id}`);
      await page.getByRole('button', { name: 'New subtitles only' }).click();
      await page.getByText('Waiting for a worker').waitFor();
      expect(site.api.media.asked.at(-1)).toContain('"steps":["subtitles"]');
    });
  });

  it('offers force when another run is in the way', async () => {
    const video = site.api.media.seed();
    await signedIn(async ({ page, complaints }) => {
      await page.goto(`/videos/${video.video_id}`);
      await page.getByRole('button', { name: 'Process again' }).waitFor();
      site.api.hub.away = true;
      site.api.hub.drop();
      site.api.media.start(video.video_id);
      await page.getByRole('button', { name: 'Process again' }).click();
      await page.getByText('Another run of this video began a moment ago').waitFor();
      complaints.length = 0; // the 409, and the hub that is away
    });
  });

  it('is edited, shared for a time when private, and deleted after asking', async () => {
    const video = site.api.media.seed();
    await signedIn(async ({ page }) => {
      await page.goto(`/videos/${video.video_id}`);
      expect(await page.getByRole('textbox', { name: 'Watch page' }).inputValue()).toBe(
        `${site.origin}/v/${video.playback_id}`,
      );
      await page.getByLabel('Title', { exact: true }).fill('Holiday by the sea');
      await page.getByLabel('Who can watch').selectOption('private');
      await page.getByLabel('Spoken language').selectOption({ label: 'German' });
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByRole('heading', { name: 'Holiday by the sea' }).waitFor();
      await page.getByRole('button', { name: 'Create link' }).click();
      expect(await page.getByRole('textbox', { name: 'Watch page' }).inputValue()).toContain('?token=h.p.s');
      await page.getByRole('button', { name: 'Play', exact: true }).click();
      await page.waitForFunction(() => (window.millrace?.video.currentTime ?? 0) > 0);
      await page.getByRole('button', { name: 'Delete video' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Delete video' }).click();
      await page.getByText('Drop your first video here').waitFor();
    });
  });
});

describe('the public page of a video', () => {
  it('plays without signing in, and says so when there is nothing', async () => {
    const video = site.api.media.seed();
    const { page, context, complaints } = await site.visitor();
    await page.goto(`/v/${video.playback_id}`);
    await eventually(async () => {
      // It plays by itself where the browser lets it.
      const play = page.getByRole('button', { name: 'Play', exact: true });
      if (await play.isVisible()) await play.click();
      return page.evaluate(() => (window.millrace?.video.currentTime ?? 0) > 0);
    }).toBe(true);
    await page.getByRole('heading', { name: 'Holiday' }).waitFor();
    expect(await page.title()).toBe('Holiday · Millrace');
    // the time line shows what is at a place: under the mouse, and where the keys have brought it
    const slider = page.getByRole('slider', { name: 'Position' });
    const preview = page.locator('.seek-preview');
    await slider.hover();
    const picture = () =>
      preview.locator('.seek-preview-picture').evaluate((it) => getComputedStyle(it).backgroundImage);
    await eventually(picture).toContain(`/vod/${video.playback_id}/storyboard-0.jpg`);
    await page.mouse.move(10, 10);
    await eventually(() => preview.count()).toBe(0);
    // on a fast machine it stands at its beginning yet, and Home would not move it
    await eventually(async () => Number(await slider.inputValue()) > 0).toBe(true);
    await slider.focus();
    await page.keyboard.press('Home');
    await eventually(() => preview.innerText()).toBe('0:00');
    expect(complaints).toEqual([]);
    await page.goto('/v/unknown');
    await page.getByText('There is no video at this address').waitFor();
    await context.close();
  });
});

describe('composing', () => {
  it('picks, orders by keyboard, trims, joins, follows and plays', async () => {
    const [first, second] = ['Intro', 'Main part'].map((title) => site.api.media.seed({ title }));
    await signedIn(async ({ page }) => {
      await page.goto('/compose');
      await page.getByRole('button', { name: 'Add Main part' }).click();
      await page.getByText('Pick at least two videos.').waitFor();
      await page.getByRole('button', { name: 'Add Intro' }).click();
      await page.getByRole('button', { name: /^Move Intro, number 2 of 2/ }).press('ArrowUp');
      await page.getByText('Intro is now number 1 of 2.').waitFor();
      const part = page.getByRole('group', { name: 'Part of Intro' });
      await part.getByLabel('To').fill('0:09');
      await page.getByText('It ends at 0:06.').first().waitFor();
      await part.getByLabel('From').fill('1');
      await part.getByLabel('To').fill('0:04.5');
      await page.getByLabel('Transition').selectOption({ label: 'Crossfade' });
      await page.getByText('0:09 in all').waitFor();
      await page.getByRole('button', { name: 'Join 2 videos' }).click();
      await page.getByRole('heading', { name: 'Joined' }).waitFor();
      const [made] = site.api.media.compositions.values();
      expect(made?.videos).toEqual([
        { video_id: first?.video_id, start_ms: 1_000, end_ms: 4_500 },
        { video_id: second?.video_id, start_ms: null, end_ms: null },
      ]);
      const id = made?.composition_id ?? '';
      site.api.media.moveComposition(id, { status: 'processing', progress: 55, phase: 'joining' });
      await page.getByText('Joining', { exact: true }).first().waitFor();
      await eventually(() => page.locator('.job-progress-percent').innerText()).toBe('55 %');
      const output = site.api.media.seed({ title: 'Joined', origin: 'composition' });
      const about = { video_id: output.video_id, duration_ms: 9_000, size_bytes: 1_000_000, method: 'encode' as const };
      const urls = { hls_url: '', file_url: '', poster_url: null };
      site.api.media.moveComposition(id, { status: 'completed', progress: 100, output: { ...about, ...urls } });
      await page.getByRole('button', { name: 'Play', exact: true }).click();
      await page.waitForFunction(() => (window.millrace?.video.currentTime ?? 0) > 0);
    });
  });

  it('orders by dragging, and is cancelled', async () => {
    for (const title of ['One', 'Two', 'Three']) site.api.media.seed({ title });
    await signedIn(async ({ page }) => {
      await page.goto('/compose');
      for (const title of ['One', 'Two', 'Three']) await page.getByRole('button', { name: `Add ${title}` }).click();
      const names = page.locator('.sequence .item-name');
      await page
        .getByRole('button', { name: /^Move Three, / })
        .dragTo(page.getByRole('button', { name: /^Move One, / }));
      await eventually(() => names.allInnerTexts()).toEqual(['Three', 'One', 'Two']);
      await page.getByRole('button', { name: 'Join 3 videos' }).click();
      await page.getByRole('button', { name: 'Cancel', exact: true }).click();
      await page.getByRole('button', { name: 'Cancelling…' }).waitFor();
      const [made] = site.api.media.compositions.keys();
      site.api.media.moveComposition(made ?? '', { status: 'cancelled', cancelling: false });
      await page.getByText('nothing is left of it').waitFor();
      await page.getByRole('link', { name: 'Another one' }).click();
      await page.locator('.video-card').getByText('Cancelled').waitFor();
    });
  });
});

describe('images', () => {
  it('are uploaded under a free name, become videos, and say so', async () => {
    await signedIn(async ({ page, complaints }) => {
      await page.goto('/images');
      await choose(page, picture);
      await page.locator('.video-card').getByText('poster.jpg').waitFor();
      // the picture itself until its thumbnail is made, which the page sees by itself
      await page.locator('.video-card img').waitFor();
      expect(site.pictures).toEqual(['/api/v1/images/poster.jpg/source']);
      site.api.media.makeThumbnail('poster.jpg');
      await eventually(() => site.pictures.at(-1)).toBe('/api/v1/images/poster.jpg/thumbnail?v=img_1.webp');
      await choose(page, picture);
      await page.locator('.video-card').getByText('poster-2.jpg').waitFor();
      await page.locator('.video-card', { hasText: 'poster-2.jpg' }).click();
      await page.getByRole('img', { name: 'poster-2.jpg' }).waitFor();
      await page.getByText('Zoom out').click();
      await page.getByLabel('Length in seconds').fill('x');
      await page.getByText('From 0.5 to 600.').waitFor();
      await page.getByLabel('Length in seconds').fill('8');
      await page.getByLabel('Caption').fill('By the sea');
      await page.getByRole('button', { name: 'Make the video' }).click();
      await page.getByText('Waiting for a worker').waitFor();
      expect(site.api.media.images.get('poster-2.jpg')?.video_parameters).toMatchObject({
        ...{ motion: 'zoom-out', duration_ms: 8_000, caption: 'By the sea', width: 1280 },
      });
      site.api.media.moveImage('poster-2.jpg', { video_status: 'processing', progress: 30 }, 'drawing frames');
      await page.getByText('Drawing frames').waitFor();
      const made = site.api.media.seed({ title: 'poster-2.jpg', origin: 'image' });
      const video = { video_id: made.video_id, video_url: made.playback?.hls_url ?? null, has_video: true };
      site.api.media.moveImage('poster-2.jpg', { video_status: 'completed', progress: 100, ...video });
      await page.locator('.page-head').getByText('Video ready').waitFor();
      await page.getByRole('button', { name: 'Play', exact: true }).click();
      await page.waitForFunction(() => (window.millrace?.video.currentTime ?? 0) > 0);
      await page.getByRole('link', { name: 'Images' }).click();
      await page.getByLabel('Video', { exact: true }).selectOption({ label: 'Video ready' });
      await eventually(() => page.locator('.video-card').count()).toBe(1);
      complaints.length = 0; // the browser reports the 409 of the taken name
    });
  });
});

describe('many images', () => {
  it('come page by page, stay when others push in, and are followed behind the first page', async () => {
    const { media } = site.api;
    const upload = (name: string) =>
      media.answer('POST', ['images'], new URLSearchParams({ img_name: name }), {})?.status ?? 0;
    for (let i = 0; i < 30; i++) upload(`p-${String(i).padStart(2, '0')}.jpg`);
    await signedIn(async ({ page }) => {
      await page.goto('/images');
      const cards = page.locator('.video-card');
      await eventually(() => cards.count()).toBe(24);
      await page.getByRole('button', { name: 'Show more' }).click();
      await eventually(() => cards.count()).toBe(30);
      // another one comes in front: it pushes the last of the first page off it
      const buffer = Buffer.from('jpeg');
      const files = Array.from({ length: 7 }, (_, i) => ({ name: `a-${i}.jpg`, mimeType: 'image/jpeg', buffer }));
      await page.locator('input[type=file]').setInputFiles(files);
      await page.getByText('7 of 7 pictures uploaded').waitFor();
      await eventually(() => cards.count()).toBe(37);
      await page.getByText('p-23.jpg').waitFor();
      media.answer('POST', ['images', 'p-29.jpg', 'video'], new URLSearchParams(), {});
      media.moveImage('p-29.jpg', { video_status: 'processing', progress: 30 }, 'drawing frames');
      const last = page.locator('.video-card', { hasText: 'p-29.jpg' });
      await last.getByText('Drawing frames').waitFor();
      media.moveImage('p-29.jpg', { video_status: 'completed', progress: 100, has_video: true });
      await last.getByText('Video ready').waitFor();
      await last.click();
      await page.getByRole('heading', { name: 'p-29.jpg' }).waitFor();
    });
  });
});

describe('on a phone', () => {
  it('no page of media is wider than 360 px', async () => {
    const long = 'A title that is long enough to need more than one line on a small screen';
    const video = site.api.media.seed({ title: long });
    site.api.media.seed({ title: 'x'.repeat(200), visibility: 'private' });
    site.api.media.start(video.video_id);
    await signedIn(
      async ({ page }) => {
        const fits = async (what: string) => {
          expect(await page.evaluate(() => document.documentElement.scrollWidth), what).toBeLessThanOrEqual(360);
        };
        const pages = [
          ['/videos', '.video-card'],
          [`/videos/${video.video_id}`, '.steps'],
          ['/images', '.add-media'],
          [`/v/${video.playback_id}`, '.vod-stage'],
          ['/compose', '.picker-choice'],
        ] as const;
        for (const [path, there] of pages) {
          await page.goto(path);
          await page.locator(there).first().waitFor();
          await fits(path);
        }
        site.api.media.seed({ title: long });
        await page.getByLabel('Search by title').fill('a title');
        await page
          .getByRole('button', { name: /^Add A title/ })
          .first()
          .click();
        await fits('/compose with a video');
        await page.goto('/images');
        await choose(page, picture);
        await page.getByRole('link', { name: /Make a video/ }).click();
        await page.getByRole('button', { name: 'Make the video' }).waitFor();
        await fits('/image');
      },
      { viewport: { width: 360, height: 740 } },
    );
  });
});

it('the fake media speak the shapes of the real ones', async () => {
  const fake = new FakeMedia(new FakeHub());
  fake.origin = 'http://127.0.0.1';
  const video = fake.seed();
  const none = new URLSearchParams();
  const get = (path: string) => fake.answer('GET', path.split('/'), none, {})?.body;
  const post = (path: string, body = {}, query = none) => fake.answer('POST', path.split('/'), query, body)?.body;
  api.createdVideoSchema.parse(post('videos', { title: 'Talk' }));
  api.videoPageSchema.parse(get('videos'));
  api.taskProgressResponseSchema.parse(get(`videos/${video.video_id}/reprocess`));
  api.asyncTaskResponseSchema.parse(post(`videos/${video.video_id}/reprocess`));
  api.problemSchema.parse(post(`videos/${video.video_id}/reprocess`));
  api.taskProgressResponseSchema.parse(get(`videos/${video.video_id}/reprocess`));
  api.videoPlaybackTokenSchema.parse(post(`videos/${video.video_id}/playback-tokens`));
  const made = api.compositionSchema.parse(post('compositions', { videos: [video.video_id, video.video_id] }));
  api.compositionPageSchema.parse(get('compositions'));
  api.compositionSchema.parse(post(`compositions/${made.composition_id}/cancel`));
  api.imageSchema.parse(post('images', {}, new URLSearchParams({ img_name: 'sun.jpg' })));
  api.asyncTaskResponseSchema.parse(post('images/sun.jpg/video'));
  api.imagePageSchema.parse(get('images'));
  api.imageHistorySchema.parse(get('images/sun.jpg/history'));
  await expect(readFile(movie)).resolves.toBeDefined();
});
