/** Rules of the house that are about files: their names, what every app and lib has, and links that lead somewhere. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { missingOptional } from '../setup/complete-lock.mjs';
import { inRepository, rootDir } from '../setup/workspace.mjs';
import { longest } from '../test/longest-first.ts';

/** Files that git knows or would add; what is ignored is nobody's business. */
const files = listFiles();
const sources = files.filter((file) => /^(apps|libs|tools)\/.*\.(ts|tsx|mjs)$/.test(file));
const textFiles = files.filter((file) => /\.(ts|tsx|mjs|js|json|md|sql|css|html|ya?ml|sh)$|^\.ci\//.test(file));
const apps = packagesIn('apps');
const services = apps.filter((app) => !['studio', 'e2e', 'standalone'].includes(app));

/** Words that say nothing about what a file knows. */
const emptyNames = /^(utils?|helpers?|common|misc|shared|managers?|base|tools|stuff|lib)$/;

describe('file names', () => {
  test('are kebab-case nouns', () => {
    const odd = sources.filter((file) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)*$/.test(basename(file)));
    expect(odd).toEqual([]);
  });

  test('say what the file knows, and so do folders', () => {
    const empty = sources.filter((file) => {
      const inside = file.split('/').slice(1).join('/');
      return inside
        .split(/[/.]/)
        .some((word) => emptyNames.test(word) || emptyNames.test(word.split('-').at(-1) ?? ''));
    });
    expect(empty).toEqual([]);
  });

  test('that the runner begins with are there', () => {
    expect(longest.filter((name) => !sources.some((file) => file.endsWith(`/${name}`)))).toEqual([]);
  });

  test('no folder inside a package has an index of its own', () => {
    const barrels = sources.filter(
      (file) => /\/index\.tsx?$/.test(file) && !/^libs\/[^/]+\/src\/index\.ts$/.test(file),
    );
    expect(barrels).toEqual([]);
  });
});

describe('every service', () => {
  const parts = ['README.md', 'src/main.ts', 'src/config.ts', 'src/service.ts', 'src/metrics.ts'];
  test.each(services)('%s has a README, main, config, service and metrics', (app) => {
    expect(parts.filter((part) => !existsSync(inRepository('apps', app, part)))).toEqual([]);
  });

  test.each(apps)('%s has a README', (app) => {
    expect(existsSync(inRepository('apps', app, 'README.md'))).toBe(true);
  });

  test.each(apps)('%s keeps its main within 60 lines', (app) => {
    const main = inRepository('apps', app, 'src/main.ts');
    if (existsSync(main)) expect(lines(main)).toBeLessThanOrEqual(60);
  });

  test.each([...apps, ...packagesIn('libs')])('%s has a layer and a scope', (name) => {
    const kind = existsSync(inRepository('apps', name)) ? 'apps' : 'libs';
    const manifest = JSON.parse(readFileSync(inRepository(kind, name, 'package.json'), 'utf8')) as {
      nx?: { tags?: readonly string[] };
    };
    const tags = manifest.nx?.tags ?? [];
    expect(tags.filter((tag) => tag.startsWith('layer:'))).toHaveLength(1);
    expect(tags).toContain(`scope:${name}`);
  });
});

describe('documents', () => {
  const documents = files.filter((file) => file.endsWith('.md'));

  test.each(documents)('%s links only to what exists', (document) => {
    const text = readFileSync(inRepository(document), 'utf8').replaceAll(/```[\s\S]*?```|`[^`\n]*`/g, '');
    const targets = [...text.matchAll(/\]\(([^)\s]+)[^)]*\)|<img[^>]+src="([^"]+)"/g)].map((m) => m[1] ?? m[2] ?? '');
    const local = targets.filter((target) => !/^[a-z]+:|^#/.test(target)).map((target) => target.split('#')[0] ?? '');
    const broken = local.filter((target) => !existsSync(join(rootDir, normalize(join(dirname(document), target)))));
    expect(broken).toEqual([]);
  });

  test('decisions are numbered once each', () => {
    const numbers = files.flatMap((file) => /^docs\/decisions\/(\d{4})-[a-z0-9-]+\.md$/.exec(file)?.[1] ?? []);
    expect(numbers.filter((number, index) => numbers.indexOf(number) !== index)).toEqual([]);
    expect(files.filter((file) => /^docs\/decisions\//.test(file) && !/\/\d{4}-[a-z0-9-]+\.md$/.test(file))).toEqual(
      [],
    );
  });
});

test('no file names a path of somebody’s machine', () => {
  // Written apart, so that this file does not name one itself.
  const machinePaths = new RegExp(
    ['/wo' + 'rk/', '/tmp/' + 'brief', '/ro' + 'ot/', '/home/(?!user\\b|node\\b)[a-z]+/'].join('|'),
  );
  const found = textFiles.filter(
    (file) => file !== 'package-lock.json' && machinePaths.test(readFileSync(inRepository(file), 'utf8')),
  );
  expect(found).toEqual([]);
});

test('npm ci accepts the lock file on every platform (else run tools/setup/complete-lock.mjs)', () => {
  const lock = JSON.parse(readFileSync(inRepository('package-lock.json'), 'utf8')) as {
    packages: Record<string, object>;
  };
  expect(missingOptional(lock.packages).map(({ name }) => name)).toEqual([]);
});

test('every package that an app or lib depends on is pinned to one version', () => {
  const loose = [...apps.map((app) => `apps/${app}`), ...packagesIn('libs').map((lib) => `libs/${lib}`)].flatMap(
    (dir) => {
      const manifest = JSON.parse(readFileSync(inRepository(dir, 'package.json'), 'utf8')) as Record<string, unknown>;
      const all = { ...(manifest['dependencies'] ?? {}), ...(manifest['devDependencies'] ?? {}) } as Record<
        string,
        string
      >;
      return Object.entries(all).flatMap(([name, range]) =>
        name.startsWith('@millrace/') || /^\d/.test(range) ? [] : [`${dir}: ${name} ${range}`],
      );
    },
  );
  expect(loose).toEqual([]);
});

function listFiles(): string[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard'];
  const done = spawnSync('git', args, { cwd: rootDir, encoding: 'utf8', maxBuffer: 16 << 20 });
  if (done.status !== 0) throw new Error(`git ls-files failed: ${done.stderr}`);
  return done.stdout.split('\n').filter((file) => file !== '' && existsSync(inRepository(file)));
}

function packagesIn(kind: 'apps' | 'libs'): string[] {
  const names = files.flatMap((file) => new RegExp(`^${kind}/([^/]+)/package\\.json$`).exec(file)?.[1] ?? []);
  return names.filter((name) => statSync(inRepository(kind, name)).isDirectory());
}

function lines(file: string): number {
  return readFileSync(file, 'utf8').trimEnd().split('\n').length;
}
