/**
 * The bundle `npm start` runs: our own TypeScript in one file, npm packages left where they are. It loads in a tenth of
 * the time that a TypeScript loader takes file by file, and is rebuilt (0.1 s) when one of its sources changed.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { stampHolds, writeStamp } from './stamp.mjs';
import { cacheDir, inRepository, rootDir } from './workspace.mjs';

/** How code names a process that it starts: `new URL('./engine-process.ts', import.meta.url)`. */
const processUrl = /new URL\('\.\/([a-z-]+-process)\.ts', import\.meta\.url\)/g;

/**
 * Builds the run bundle of an app when needed.
 * @param {string} app such as `standalone`
 * @param {string} [source] its entry point inside the app's folder
 * @returns {Promise<string>} the bundle's path
 */
export async function ensureRunBundle(app, source = 'src/main.ts') {
  const name = source.replace(/^.*\//, '').replace(/\.ts$/, '.mjs');
  const file = join(cacheDir, 'run', app, name);
  const stamp = `${file}.stamp.json`;
  if (existsSync(file) && stampHolds(stamp)) return file;
  const processes = new Map();
  const inputs = await bundleFile(inRepository('apps', app, source), file, processes);
  for (const [from, to] of processes) inputs.push(...(await bundleFile(from, to, new Map())));
  writeStamp(stamp, { files: [...new Set(inputs), 'package-lock.json', 'tools/setup/bundle.mjs'] });
  return file;
}

/**
 * Bundles one entry point; adds to `processes` what it starts as processes of their own, as source and bundle.
 * @param {string} entry
 * @param {string} file
 * @param {Map<string, string>} processes
 * @returns {Promise<string[]>} the sources
 */
async function bundleFile(entry, file, processes) {
  const { build } = await import('esbuild');
  const built = await build({
    entryPoints: [entry],
    absWorkingDir: rootDir,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    outfile: file,
    write: false,
    metafile: true,
    sourcemap: 'linked',
    // The sources are beside the bundle; leaving them out of the map keeps it small in memory.
    sourcesContent: false,
    logLevel: 'error',
    plugins: [packagesStayOutside, sourceUrls(dirname(file), processes)],
  });
  mkdirSync(dirname(file), { recursive: true });
  for (const output of built.outputFiles) {
    // Renamed into place, so that a start at the same moment never reads half a file.
    const draft = `${output.path}.${process.pid}.tmp`;
    writeFileSync(draft, output.contents);
    renameSync(draft, output.path);
  }
  return Object.keys(built.metafile.inputs).filter((input) => !input.startsWith('node_modules/'));
}

/** npm packages are imported at run time; those of this workspace are bundled. @type {import('esbuild').Plugin} */
const packagesStayOutside = {
  name: 'packages-stay-outside',
  setup(build) {
    build.onResolve({ filter: /^[^./]/ }, (args) =>
      args.kind === 'entry-point' || args.path.startsWith('@millrace/')
        ? undefined
        : { path: args.path, external: true },
    );
  },
};

/**
 * `import.meta.url` stays the URL of the source file, so that code finds its migrations and other files; but a
 * `./name-process.ts` that it starts becomes a bundle of its own.
 * @param {string} outDir
 * @param {Map<string, string>} processes
 * @returns {import('esbuild').Plugin}
 */
const sourceUrls = (outDir, processes) => ({
  name: 'source-urls',
  setup(build) {
    build.onLoad({ filter: /\.ts$/ }, (args) => {
      const text = readFileSync(args.path, 'utf8');
      if (relative(rootDir, args.path).split(sep).includes('node_modules') || !text.includes('import.meta.url')) return;
      const url = JSON.stringify(pathToFileURL(args.path).href);
      const started = text.replaceAll(processUrl, (_, name) => {
        const bundle = join(outDir, `${name}.mjs`);
        processes.set(join(dirname(args.path), `${name}.ts`), bundle);
        return `new URL(${JSON.stringify(pathToFileURL(bundle).href)})`;
      });
      return { contents: started.replaceAll('import.meta.url', url), loader: 'ts' };
    });
  },
});
