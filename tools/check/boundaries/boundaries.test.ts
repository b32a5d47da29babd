/** A rule that cannot fail is no rule: each boundary rule has to catch a violation planted for it. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inRepository, rootDir } from '../../setup/workspace.mjs';
import { plantedTexts } from './planted-lint.ts';
import { plantedModules } from './planted-modules.ts';
import { openSkeleton } from './skeleton.ts';

interface Cruise {
  readonly summary: {
    readonly violations: readonly { readonly rule: { readonly name: string }; readonly from: string }[];
  };
}

describe('dependency-cruiser', { timeout: 60_000 }, () => {
  const skeleton = openSkeleton();
  afterAll(() => skeleton[Symbol.dispose]());

  /** Rules broken, by the file that breaks them. */
  const broken = new Map<string, string[]>();
  beforeAll(() => {
    for (const planted of plantedModules) skeleton.plant(planted.files);
    const args = [
      inRepository('node_modules/dependency-cruiser/bin/dependency-cruise.mjs'),
      ...[
        '--config',
        inRepository('.dependency-cruiser.mjs'),
        '--no-cache',
        '--output-type',
        'json',
        'apps',
        'libs',
        'tools',
      ],
    ];
    const done = spawnSync(process.execPath, args, { cwd: skeleton.dir, encoding: 'utf8', maxBuffer: 64 << 20 });
    if (!done.stdout.startsWith('{')) throw new Error(`dependency-cruiser printed no JSON: ${done.stderr}`);
    for (const { rule, from } of (JSON.parse(done.stdout) as Cruise).summary.violations) {
      broken.set(from, [...(broken.get(from) ?? []), rule.name]);
    }
  });

  test.each(plantedModules.map((planted) => ({ planted, where: Object.keys(planted.files).join(' ') })))(
    '$planted.rule catches $where',
    ({ planted }) => {
      expect(Object.keys(planted.files).flatMap((file) => broken.get(file) ?? [])).toContain(planted.rule);
    },
  );

  test('every rule has a planted violation', async () => {
    const config = (await import(join(rootDir, '.dependency-cruiser.mjs'))) as {
      default: { forbidden: readonly { name: string }[] };
    };
    const tested = new Set(plantedModules.map((planted) => planted.rule));
    expect(config.default.forbidden.map((rule) => rule.name).filter((name) => !tested.has(name))).toEqual([]);
  });
});

describe('eslint', { timeout: 120_000 }, () => {
  beforeAll(() => {
    // The Nx rule reads Nx's cached project graph and says nothing about a project that is not in it yet.
    const nx = spawnSync(process.execPath, [inRepository('node_modules/nx/dist/bin/nx.js'), 'show', 'projects'], {
      cwd: rootDir,
      encoding: 'utf8',
    });
    if (nx.status !== 0) throw new Error(`nx show projects failed: ${nx.stderr}${nx.stdout}`);
    // In a "single run" typescript-eslint would read the files from disk, not the planted text.
    process.env['TSESTREE_SINGLE_RUN'] = 'false';
  }, 60_000);
  const typed = new ESLint({ cwd: rootDir });
  const untyped = new ESLint({ cwd: rootDir, overrideConfig: [tseslint.configs.disableTypeChecked] });

  test.each(plantedTexts)('$rule catches a violation in $file: $text', async ({ rule, file, text, needsTypes }) => {
    const [result] = await (needsTypes ? typed : untyped).lintText(text, { filePath: inRepository(file) });
    expect(result?.messages.map((message) => message.ruleId ?? message.message)).toContain(rule);
  });
});
