/**
 * `npm run docs`: writes docs/generated from the code. With `--check` it writes nothing and fails when a page is not what the
 * code says now.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { inRepository } from '../setup/workspace.mjs';
import { asyncApiDocument } from './asyncapi-document.ts';
import { metricsPage } from './metrics-page.ts';
import { openApiDocument } from './openapi-document.ts';
import { settingsPage } from './settings-page.ts';
import { topicsPage } from './topics-page.ts';

const pages: Readonly<Record<string, () => Promise<string>>> = {
  'settings.md': settingsPage,
  'metrics.md': metricsPage,
  'topics.md': topicsPage,
  'openapi.json': openApiDocument,
  'asyncapi.json': asyncApiDocument,
};

const check = process.argv.includes('--check');
const stale: string[] = [];
mkdirSync(inRepository('docs', 'generated'), { recursive: true });
for (const [name, page] of Object.entries(pages)) {
  const text = await page();
  const file = inRepository('docs', 'generated', name);
  if (existsSync(file) && readFileSync(file, 'utf8') === text) continue;
  stale.push(name);
  if (!check) writeFileSync(file, text);
}
if (check && stale.length > 0) {
  process.stderr.write(
    `docs/generated is out of date: ${stale.join(', ')}; run \`npm run docs\` and commit the result\n`,
  );
  process.exit(1);
}
if (!check) process.stdout.write(stale.length > 0 ? `written: ${stale.join(', ')}\n` : 'nothing changed\n');
