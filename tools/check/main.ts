/** `npm run check`: every check that needs no running server, each timed; all failures are shown, not only the first. */
import { spawn } from 'node:child_process';
import { inRepository, rootDir } from '../setup/workspace.mjs';

interface Step {
  readonly name: string;
  readonly what: string;
  readonly command: readonly string[];
}

const node = process.execPath;
const bin = (path: string) => inRepository('node_modules', path);
const tool = (path: string) => [node, '--import', 'tsx', inRepository('tools', path)];
const vitest = [node, bin('vitest/vitest.mjs'), 'run', '--reporter', 'dot', '--silent=true'];

const steps: readonly Step[] = [
  {
    name: 'format',
    what: 'format and import order',
    command: [node, bin('@biomejs/biome/bin/biome'), 'ci', '--colors=off', '.'],
  },
  // The boundary rule of eslint reads Nx's cached graph; this brings it up to date.
  { name: 'projects', what: 'project graph', command: [node, bin('nx/dist/bin/nx.js'), 'show', 'projects'] },
  {
    name: 'lint',
    what: 'lint and package boundaries',
    command: [
      ...[
        node,
        '--max-old-space-size=4096',
        bin('eslint/bin/eslint.js'),
        '--cache',
        '--cache-location',
        '.cache/eslint',
      ],
      ...['--max-warnings', '0', '.'],
    ],
  },
  {
    name: 'imports',
    what: 'import rules inside packages',
    command: [
      ...[node, bin('dependency-cruiser/bin/dependency-cruise.mjs'), '--config', '.dependency-cruiser.mjs'],
      ...['apps', 'libs', 'tools'],
    ],
  },
  { name: 'types', what: 'types', command: [node, bin('typescript/bin/tsc'), '-p', '.'] },
  {
    name: 'types-studio',
    what: 'types of the studio',
    command: [node, bin('typescript/bin/tsc'), '-p', 'apps/studio'],
  },
  {
    name: 'dead-code',
    what: 'dead code and unused packages',
    command: [node, bin('knip/bin/knip.js'), '--no-progress', '--no-config-hints'],
  },
  { name: 'bundles', what: 'a bundle of each service', command: [...tool('build/main.ts'), '--only-services'] },
  { name: 'docs', what: 'generated documentation', command: [...tool('docs/main.ts'), '--check'] },
  { name: 'rules', what: 'repository rules, and rules that catch', command: [...vitest, 'tools/check'] },
];

async function main(only: readonly string[]): Promise<number> {
  const failed: string[] = [];
  for (const step of steps) {
    if (only.length > 0 && !only.includes(step.name)) continue;
    const startedAt = performance.now();
    const { code, output } = await capture(step.command);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    process.stdout.write(`${code === 0 ? 'ok    ' : 'FAILED'} ${step.what} (${seconds} s)\n`);
    if (code === 0) continue;
    failed.push(step.what);
    process.stdout.write(`${output.trimEnd().replaceAll(/^/gm, '       ')}\n`);
  }
  process.stdout.write(failed.length === 0 ? 'all checks passed\n' : `failed: ${failed.join(', ')}\n`);
  return failed.length === 0 ? 0 : 1;
}

/** Runs a command and collects what it prints; Ctrl-C reaches it through the terminal's process group. */
function capture(command: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const [program = '', ...args] = command;
    const env = { ...process.env, NX_DAEMON: 'false', NO_COLOR: '1' };
    const child = spawn(program, args, { cwd: rootDir, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const parts: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => parts.push(text));
    child.on('error', (error) => resolve({ code: 127, output: error.message }));
    child.on('close', (code) => resolve({ code: code ?? 1, output: parts.join('') }));
  });
}

process.exitCode = await main(process.argv.slice(2));
