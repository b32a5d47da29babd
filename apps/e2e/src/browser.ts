import { type Browser, chromium, type Page } from 'playwright-core';

/** What a page may do without a person, a GPU or a network. */
const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
  '--autoplay-policy=no-user-gesture-required',
] as const;

export interface TestBrowser extends AsyncDisposable {
  /** A fresh page with an empty profile, and what went wrong in it. */
  open(url: string): Promise<{ readonly page: Page; readonly problems: readonly string[] }>;
}

/** Starts the system's Chromium. Disposing ends it with all its pages. */
export async function openBrowser(executablePath = '/usr/bin/chromium'): Promise<TestBrowser> {
  const browser: Browser = await chromium.launch({ executablePath, args: [...flags] });
  return {
    async open(url) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
      const page = await context.newPage();
      const problems: string[] = [];
      page.on('pageerror', (error) => void problems.push(`page error: ${error.message}`));
      page.on('console', (message) => {
        if (message.type() === 'error') problems.push(`console error: ${message.text()} ${message.location().url}`);
      });
      await page.goto(url);
      return { page, problems };
    },
    [Symbol.asyncDispose]: () => browser.close(),
  };
}
