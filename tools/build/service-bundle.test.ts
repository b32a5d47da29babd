/** Each bundle starts, from a folder that is not the repository, far enough to say what is wrong with its settings. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { inRepository } from '../setup/workspace.mjs';
import { buildService, serviceApps } from './service-bundle.ts';

describe('a bundle', () => {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-bundles-'));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  test.each(serviceApps())('of %s lists all its mistakes and exits with 64', { timeout: 60_000 }, async (app) => {
    const { file, outside } = await buildService(app, join(dir, app));
    if (outside.length > 0) symlinkSync(inRepository('node_modules'), join(dir, app, 'node_modules'));
    const env = {
      PATH: process.env['PATH'],
      HTTP_PORT: 'eighty',
      INTERNAL_HTTP_PORT: 'inside',
      LOG_LEVEL: 'everything',
    };
    const done = spawnSync(process.execPath, [file], { cwd: dir, env, encoding: 'utf8', timeout: 20_000 });
    expect({ status: done.status, signal: done.signal, stdout: done.stdout }).toMatchObject({
      status: 64,
      signal: null,
    });
    expect(done.stderr).toContain('HTTP_PORT');
    expect(done.stderr).toContain('LOG_LEVEL');
  });
});
