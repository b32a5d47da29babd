import { readFile } from 'node:fs/promises';
import * as api from '@millrace/api';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from './eventually.ts';
import { FakeAnalytics } from './fake-analytics.ts';
import { adminToken } from './fake-api.ts';
import { Site, type Visitor } from './site.ts';

let site: Site;
beforeAll(async () => {
  site = await Site.open({ encode: false });
});
afterAll(() => site?.[Symbol.asyncDispose]());
beforeEach(() => {
  site.api.clear();
  const streams = ['Council meeting', 'Garage concert'].map((title) => site.api.seed({ title }));
  site.api.analytics.streams = streams;
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

const tile = (page: Page, label: string) => page.locator('.tile', { has: page.getByText(label, { exact: true }) });

describe('the analytics page', () => {
  it('shows the figures with their units, seven charts, and no chart code on other pages', async () => {
    await signedIn(async ({ page }) => {
      const scripts: string[] = [];
      page.on('request', (request) => scripts.push(new URL(request.url()).pathname));
      await page.goto('/');
      await page.getByRole('heading', { name: 'Streams' }).waitFor();
      await page.waitForLoadState('networkidle');
      expect(scripts.filter((path) => path.includes('analytics'))).toEqual([]);
      await page.getByRole('link', { name: 'Analytics' }).click();
      await eventually(() => tile(page, 'Peak viewers').innerText()).toContain('480');
      expect(await tile(page, 'Watch time').innerText()).toContain('13 d 22 h');
      expect(await tile(page, 'Startup time').innerText()).toMatch(/640 ms\s+2.15 s for 95 %/);
      expect(await page.locator('.metric-chart canvas').count()).toBe(7);
      expect(await page.getByRole('group', { name: /^Concurrent viewers: highest \d+ at / }).count()).toBe(1);
    });
  });

  it('keeps range and filters in the address, and asks for them', async () => {
    await signedIn(async ({ page }) => {
      await page.goto('/analytics');
      await page.getByRole('link', { name: '24 hours' }).click();
      await page.getByLabel('Country', { exact: true }).selectOption({ label: 'France' });
      expect(page.url()).toBe(`${site.origin}/analytics?range=24h&country=FR`);
      await page.getByRole('link', { name: 'Safari' }).click();
      await eventually(() => page.getByLabel('Player', { exact: true }).inputValue()).toBe('safari');
      await page.goBack();
      await eventually(() => page.getByLabel('Player', { exact: true }).inputValue()).toBe('');
      const summary = site.api.analytics.asked.findLast((one) => one.startsWith('summary'));
      const query = new URLSearchParams(summary?.split('?')[1]);
      expect(query.get('country')).toBe('FR');
      expect(Date.parse(query.get('to') ?? '') - Date.parse(query.get('from') ?? '')).toBe(86_400_000);
      await page.getByRole('button', { name: 'Custom' }).click();
      await page.getByLabel('From', { exact: true }).fill('2026-01-02T10:00');
      await page.getByLabel('To', { exact: true }).fill('2026-01-02T09:00');
      await page.getByText('The end must be after the start').waitFor();
      await page.getByLabel('To', { exact: true }).fill('2026-01-02T11:30');
      await page.getByRole('button', { name: 'Apply' }).click();
      await eventually(() => new URL(page.url()).searchParams.get('to')).toBe(
        new Date('2026-01-02T11:30').toISOString(),
      );
    });
  });

  it('is read with the arrow keys, on all charts at once', async () => {
    await signedIn(async ({ page }) => {
      await page.goto('/analytics');
      const chart = page.getByRole('group', { name: /^Concurrent viewers/ });
      await chart.focus();
      for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowRight');
      const times = () => page.locator('.chart-at').allInnerTexts();
      const at = new Date(Math.floor(Date.now() / 60_000) * 60_000 - 58 * 60_000);
      await eventually(async () => new Set(await times()).size).toBe(1);
      const [shown = ''] = await times();
      expect(Math.abs(minutesOf(shown) - (at.getHours() * 60 + at.getMinutes()))).toBeLessThanOrEqual(1);
    });
  });

  it('says what to do when nobody watched, and when nobody matches', async () => {
    site.api.analytics.empty = true;
    await signedIn(async ({ page }) => {
      await page.goto('/analytics');
      await page.getByRole('heading', { name: 'Nobody watched in this time' }).waitFor();
      await page.getByRole('link', { name: 'Last 7 days' }).click();
      await page.goto('/analytics?device=tv');
      await page.getByRole('link', { name: 'Clear the filters' }).click();
      expect(page.url()).toBe(`${site.origin}/analytics`);
    });
  });

  it('goes on with what is live while the store is away, and comes back by itself', async () => {
    const [stream] = site.api.analytics.streams;
    site.api.setState(stream?.id ?? '', 'live');
    site.api.hub.count(stream?.id ?? '', 1_204);
    site.api.analytics.away = true;
    await signedIn(async ({ page, complaints }) => {
      await page.goto('/analytics?range=24h');
      await page.getByText('Past figures cannot be read at the moment').waitFor();
      await eventually(() => page.locator('.live-now').innerText()).toContain('1,204');
      site.api.analytics.away = false;
      await page.getByRole('link', { name: 'Last hour' }).click();
      await tile(page, 'Peak viewers').getByText('480').waitFor();
      expect(await page.getByText('Past figures cannot be read').count()).toBe(0);
      complaints.length = 0; // the browser reports each 503
    });
  });

  it('pages through the sessions, and gives files of what is looked at', async () => {
    await signedIn(async ({ page }) => {
      await page.goto('/analytics?country=DE');
      const rows = page.locator('.session-table tbody tr');
      await eventually(() => rows.count()).toBe(10);
      await page.getByRole('button', { name: 'Show more' }).click();
      await eventually(() => rows.count()).toBe(17);
      const started = await rows.first().locator('time').getAttribute('title');
      expect(started).toMatch(/\(2026-\d\d-\d\d \d\d:\d\d:\d\d UTC\)/);
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: 'CSV' }).click(),
      ]);
      expect(download.suggestedFilename()).toMatch(/^millrace-sessions-.*\.csv$/);
      expect(await readFile(await download.path(), 'utf8')).toContain('sessions');
      expect(site.api.analytics.asked.at(-1)).toMatch(/^export\?.*country=DE.*dataset=sessions&format=csv/);
    });
  });

  it('shows a viewer only what is live', async () => {
    site.api.role = 'viewer';
    await signedIn(async ({ page }) => {
      await page.goto('/analytics');
      await page.getByText('Your role may see what is live').waitFor();
      expect(site.api.analytics.asked).toEqual([]);
    });
  });

  it('is no wider than a phone, and its charts do not move when the figures come', async () => {
    const [stream] = site.api.analytics.streams;
    await signedIn(
      async ({ page }) => {
        for (const path of ['/analytics', `/analytics?range=7d&stream_id=${stream?.id}`]) {
          await page.goto(path);
          await page.locator('.metric-chart').first().waitFor();
          const top = () =>
            page
              .locator('.metric-chart')
              .nth(1)
              .evaluate((one) => one.getBoundingClientRect().top);
          const before = await top();
          await tile(page, 'Peak viewers').getByText('480').waitFor();
          await page.waitForLoadState('networkidle');
          expect(Math.abs((await top()) - before), path).toBeLessThan(2);
          expect(await page.evaluate(() => document.documentElement.scrollWidth), path).toBeLessThanOrEqual(360);
        }
      },
      { viewport: { width: 360, height: 740 } },
    );
  });
});

/** Minutes since midnight of `14:05`. */
function minutesOf(clock: string): number {
  const [h = 0, min = 0] = clock.split(':').map(Number);
  return h * 60 + min;
}

it('the fake analytics speak the shapes of the real ones', () => {
  const fake = new FakeAnalytics();
  fake.streams = [{ id: 'str_1', title: 'Council' }];
  const range = { from: '2026-01-01T10:00:00Z', to: '2026-01-01T11:00:00Z' };
  const get = (path: string, more: Record<string, string> = {}) =>
    fake.answer(path, new URLSearchParams({ ...range, ...more })).body;
  api.analyticsLiveSchema.parse(get('live'));
  api.analyticsSummarySchema.parse(get('summary'));
  api.analyticsTimeseriesSchema.parse(get('timeseries', { metric: 'viewers,live_latency_ms' }));
  api.analyticsBreakdownSchema.parse(get('breakdowns', { metric: 'views', by: 'stream' }));
  api.analyticsSessionPageSchema.parse(get('sessions'));
  api.analyticsIngestSchema.parse(get('ingest/str_1'));
});
