import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from './eventually.ts';
import { adminToken, FakeApi, signInCode } from './fake-api.ts';
import { Site, type Visitor } from './site.ts';

const health = {
  stream_id: 'str_1',
  epoch: 1,
  at_ms: 0,
  state: 'live' as const,
  video_bps: 2_512_000,
  audio_bps: 160_000,
  frames_per_second: 30,
  keyframe_interval_s: 8.3,
  av_drift_ms: 12,
  timestamp_gaps: 3,
  video_codec: 'avc1.64001f',
  audio_codec: 'mp4a.40.2',
  width: 1280,
  height: 720,
  warnings: [{ code: 'keyframe-interval', message: 'keyframe interval is 8.3 s: set 2 s in OBS, Output' }],
};

let site: Site;
beforeAll(async () => {
  site = await Site.open({ encode: false });
});
afterAll(() => site?.[Symbol.asyncDispose]());
beforeEach(() => site.api.clear());

/** Runs `visit` with a new browser profile, signed in, and fails on any complaint of the page. */
async function signedIn(visit: (visitor: Visitor) => Promise<void>, options = {}): Promise<void> {
  const visitor = await site.visitor(options);
  try {
    await visitor.page.goto(`/sign-in#code=${signInCode}`);
    await visitor.page.getByRole('heading', { name: 'Streams' }).waitFor();
    await visit(visitor);
    expect(visitor.complaints).toEqual([]);
  } finally {
    await visitor.context.close();
  }
}

describe('signing in', () => {
  it('spends the code of the link once, and leaves no trace of it in the address bar', async () => {
    await signedIn(async ({ page }) => {
      expect(page.url()).toBe(`${site.origin}/`);
      await page.reload();
      await page.getByRole('heading', { name: 'Streams' }).waitFor();
    });
  });

  it('says what to do when the link was used before', async () => {
    site.api.codeUsed = true;
    const { page, context } = await site.visitor();
    await page.goto(`/sign-in#code=${signInCode}`);
    await eventually(() => page.getByRole('alert').innerText()).toContain('npm run admin-link');
    await context.close();
  });

  it('takes a pasted token, and a pasted link', async () => {
    for (const pasted of [adminToken, `${site.origin}/sign-in#code=${signInCode}`]) {
      const { page, context } = await site.visitor();
      await page.goto('/');
      await page.getByLabel('Sign-in link or API token').fill(pasted);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('heading', { name: 'Streams' }).waitFor();
      await context.close();
    }
  });

  it('returns to the sign-in page when the token is revoked, and on signing out', async () => {
    const { page, context } = await site.visitor();
    await page.goto(`/sign-in#code=${signInCode}`);
    await page.getByRole('heading', { name: 'Streams' }).waitFor();
    // a call that is still under way would be refused before the reload, and it is the reload that is to tell
    await page.waitForLoadState('networkidle');
    site.api.revokedAll = true;
    await page.reload();
    await page.getByText('Your sign-in has expired').waitFor();
    site.api.revokedAll = false;
    site.api.codeUsed = false;
    await page.getByLabel('Sign-in link or API token').fill(signInCode);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect(await page.evaluate(() => localStorage.getItem('millrace.session'))).toBeNull();
    await context.close();
  });
});

describe('a new stream', () => {
  it('shows its key once, copies URL and key, and forgets the key on reload', async () => {
    await signedIn(
      async ({ page }) => {
        await page.getByRole('link', { name: 'New stream' }).click();
        await page.getByLabel('Title').fill('Sunday service');
        await page.getByRole('button', { name: 'Create stream' }).click();
        const key = page.getByLabel('Stream key', { exact: true });
        expect(await key.inputValue()).toMatch(/^mk_\w{32}$/);
        expect(await key.getAttribute('type')).toBe('password');
        await page.getByRole('button', { name: 'Copy Stream key' }).click();
        await page.getByText('Copied', { exact: true }).waitFor();
        expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(await key.inputValue());
        expect(await page.getByLabel('Server', { exact: true }).inputValue()).toBe('rtmp://stream.example.org/live');
        await page.getByText('Settings for OBS').click();
        await page.getByText('zerolatency').waitFor();
        await page.reload();
        await page.getByText('…wxyz').waitFor();
        expect(await key.count()).toBe(0);
      },
      { permissions: ['clipboard-read', 'clipboard-write'] },
    );
  });

  it('tells what the server refused, field by field', async () => {
    await signedIn(async ({ page, complaints }) => {
      await page.goto('/streams/new');
      await page.getByLabel('Title').fill('!');
      await page.getByRole('button', { name: 'Create stream' }).click();
      await eventually(() => page.getByRole('alert').innerText()).toContain(
        'title: expected a title, got one with a !',
      );
      // The browser itself reports the 400.
      complaints.length = 0;
    });
  });
});

describe('the page of a stream', () => {
  it('follows the state, the health and its warnings without a reload', async () => {
    const stream = site.api.seed({ title: 'Council', visibility: 'private' });
    await signedIn(async ({ page, complaints }) => {
      await page.goto(`/streams/${stream.id}`);
      await page.locator('.page-head').getByText('Offline').waitFor();
      site.api.setState(stream.id, 'live', health);
      await page.locator('.page-head').getByText('Live').waitFor();
      await page.getByText('Keyframe interval is 8.3 s: set 2 s in OBS, Output').waitFor();
      await page.getByText('H.264 High, AAC').waitFor();
      site.api.hub.measure(stream.id, { ...health, at_ms: Date.now() + 1_000 });
      await page.getByRole('img', { name: 'Video bitrate' }).locator('.sparkline-line').waitFor({ state: 'attached' });
      site.api.setState(stream.id, 'interrupted', health);
      await page.getByText("The encoder's connection dropped").waitFor();
      site.api.setState(stream.id, 'idle');
      await page.locator('.page-head').getByText('Offline').waitFor();
      // There was no media behind the preview.
      complaints.length = 0;
    });
  });

  it('adds, rotates and revokes keys', async () => {
    const stream = site.api.seed({ title: 'Council' });
    await signedIn(async ({ page }) => {
      await page.goto(`/streams/${stream.id}`);
      await page.getByLabel('Label for another key').fill('Backup');
      await page.getByRole('button', { name: 'Add key' }).click();
      await page.getByText('Copy the key now').waitFor();
      await page.getByRole('button', { name: 'I have copied it' }).click();
      await page.getByRole('button', { name: 'Rotate Backup' }).click();
      await page.getByLabel('The old key works on').selectOption({ label: 'for 1 hour' });
      await page.getByRole('button', { name: 'Make the new key' }).click();
      await page.getByText('replaced, works until').waitFor();
      await page.getByRole('button', { name: 'Revoke Backup' }).first().click();
      await page.getByRole('button', { name: 'Revoke key' }).click();
      await page.getByText('1 revoked or expired key').waitFor();
      expect(site.api.streams.get(stream.id)?.keys.map((key) => key.revoked_at !== null)).toEqual([true, false]);
    });
  });

  it('edits the stream, makes private links and deletes it after asking', async () => {
    const stream = site.api.seed({ title: 'Council' });
    await signedIn(async ({ page }) => {
      await page.goto(`/streams/${stream.id}`);
      await page.getByLabel('Title').fill('Village council');
      await page.getByLabel('Private').check();
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByRole('heading', { name: 'Village council' }).waitFor();
      await page.getByRole('button', { name: 'Create link' }).click();
      expect(await page.getByRole('textbox', { name: 'Watch page' }).inputValue()).toContain('?token=playback-token');
      await page.getByRole('button', { name: 'Delete stream' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('button', { name: 'Cancel' }).click();
      expect(site.api.streams.size).toBe(1);
      await page.getByRole('button', { name: 'Delete stream' }).click();
      await dialog.getByRole('button', { name: 'Delete stream' }).click();
      await page.getByText('Your first stream').waitFor();
      expect(site.api.streams.size).toBe(0);
    });
  });

  it('keeps what it knows and says so while the server is away', async () => {
    const stream = site.api.seed({ title: 'Council' });
    await signedIn(async ({ page, complaints }) => {
      await page.goto(`/streams/${stream.id}`);
      await page.getByRole('heading', { name: 'Council' }).waitFor();
      Object.assign(site.api, { unreachable: true });
      site.api.hub.away = true;
      site.api.hub.drop();
      await page.getByText('The server does not answer').waitFor();
      expect(await page.getByRole('heading', { name: 'Council' }).count()).toBe(1);
      site.api.unreachable = false;
      site.api.hub.away = false;
      await page.getByText('The server does not answer').waitFor({ state: 'detached' });
      complaints.length = 0;
    });
  });
});

describe('the list of streams', () => {
  const section = (page: Visitor['page'], name: string) => page.getByRole('region', { name });

  it('moves with what goes on and off air, counts viewers, and asks the API for none of it', async () => {
    const [council, garage] = ['Council', 'Garage concert'].map((title) => site.api.seed({ title }));
    await signedIn(async ({ page }) => {
      await section(page, 'Off air').getByText('Garage concert').waitFor();
      await eventually(() => site.api.hub.asked).toEqual(['authenticate', 'subscribe streams']);
      await page.waitForLoadState('networkidle'); // what was asked before the hub answered
      const calls: string[] = [];
      page.on('request', (request) => calls.push(new URL(request.url()).pathname));
      site.api.setState(garage?.id ?? '', 'live', health);
      site.api.hub.count(garage?.id ?? '', 12);
      const row = section(page, 'On air').getByRole('link');
      await eventually(() => row.innerText()).toMatch(
        /Garage concert[\s\S]*2\.7 Mbit\/s, 30 fps[\s\S]*1 warning[\s\S]*12[\s\S]*Live/,
      );
      expect(await section(page, 'Off air').getByText('Council').count()).toBe(1);
      site.api.setState(garage?.id ?? '', 'idle');
      await section(page, 'On air').waitFor({ state: 'detached' });
      expect(calls).toEqual([]);
      void council;
    });
  });

  it('goes on by asking while the hub is away, says so, and follows the hub again', async () => {
    const stream = site.api.seed({ title: 'Council' });
    await signedIn(async ({ page, complaints }) => {
      await eventually(() => site.api.hub.connections).toBe(1);
      // Only the API knows that it has gone live.
      site.api.states.set(stream.id, { state: 'live', health, since: new Date().toISOString() });
      site.api.hub.away = true;
      site.api.hub.drop();
      await page.getByText('Re-connecting').waitFor();
      await page.locator('.stream-list').getByText('Live', { exact: true }).waitFor();
      site.api.hub.away = false;
      site.api.setState(stream.id, 'live', health);
      await page.getByText('Re-connecting').waitFor({ state: 'detached' });
      site.api.hub.count(stream.id, 7);
      await eventually(() => page.locator('.viewer-count').innerText()).toContain('7');
      complaints.length = 0; // the browser reports each refused connection
    });
  });

  it('keeps one connection from page to page', async () => {
    const stream = site.api.seed({ title: 'Council' });
    await signedIn(async ({ page }) => {
      await page.getByRole('link', { name: 'Council' }).click();
      await page.getByRole('heading', { name: 'Council' }).waitFor();
      await page.getByRole('link', { name: 'Analytics' }).first().click();
      await eventually(() => site.api.hub.asked).toEqual([
        'authenticate',
        'subscribe streams',
        `subscribe stream:${stream.id}`,
        'subscribe streams',
      ]);
      expect(site.api.hub.connections).toBe(1);
    });
  });
});

describe('API tokens', () => {
  it('are shown once and can be revoked', async () => {
    await signedIn(async ({ page }) => {
      await page.getByRole('link', { name: 'API tokens' }).click();
      await page.getByLabel('Label').fill('Scoreboard');
      await page.getByLabel('Role').selectOption('analyst');
      await page.getByRole('button', { name: 'Create token' }).click();
      expect(await page.getByLabel('Token', { exact: true }).inputValue()).toBe('eyJh.eyJz.secret');
      expect(site.api.tokens[0]?.role).toBe('analyst');
      await page.getByRole('button', { name: 'I have copied it' }).click();
      await page.getByRole('button', { name: 'Revoke Scoreboard' }).click();
      await page.getByRole('button', { name: 'Revoke token' }).click();
      await page.getByRole('heading', { name: 'In use' }).waitFor({ state: 'detached' });
    });
  });
});

describe('on a phone', () => {
  it('no page is wider than 360 px', async () => {
    const stream = site.api.seed({ title: 'A title that is long enough to need more than one line on a small screen' });
    site.api.seed({ title: 'x'.repeat(200) });
    await signedIn(
      async ({ page }) => {
        for (const path of ['/', '/streams/new', `/streams/${stream.id}`, '/tokens', `/watch/${stream.playback_id}`]) {
          await page.goto(path);
          await page.getByRole('heading').first().waitFor();
          await page.waitForLoadState('networkidle');
          expect(await page.evaluate(() => document.documentElement.scrollWidth), path).toBeLessThanOrEqual(360);
        }
      },
      { viewport: { width: 360, height: 740 } },
    );
  });
});

it('the fake API speaks the shapes of the real one', async () => {
  const api = await import('@millrace/api');
  const fake = new FakeApi();
  fake.origin = 'http://127.0.0.1';
  const stream = fake.seed({ title: 'Council' });
  fake.setState(stream.id, 'live', health);
  const get = (path: string) => fake.answer('GET', path, {}, `Bearer ${adminToken}`).body;
  const post = (path: string, body = {}) => fake.answer('POST', path, body, `Bearer ${adminToken}`).body;
  api.streamDetailSchema.parse(get(`/streams/${stream.id}`));
  api.streamPageSchema.parse(get('/streams'));
  api.createdStreamKeySchema.parse(post(`/streams/${stream.id}/keys`, { label: 'a' }));
  api.streamKeyPageSchema.parse(get(`/streams/${stream.id}/keys`));
  api.playbackTokenSchema.parse(post(`/streams/${stream.id}/playback-tokens`));
  api.createdApiTokenSchema.parse(post('/tokens', { label: 'a', role: 'viewer' }));
  api.apiTokenPageSchema.parse(get('/tokens'));
  api.watchSchema.parse(get(`/watch/${stream.playback_id}`));
  api.meSchema.parse(get('/me'));
  api.signInSchema.parse(post('/sign-ins', { code: signInCode }));
});
