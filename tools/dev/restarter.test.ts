import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { Restarter } from './restarter.ts';

/** A process that says "up" and ends with 7 when told to. */
const script = "process.on('SIGTERM', () => process.exit(7)); process.stdout.write('up'); setInterval(() => {}, 1000)";

function harness(build: () => Promise<string>) {
  const pids: number[] = [];
  const said: string[] = [];
  let onUp: () => void = () => {};
  const restarter = new Restarter({
    build,
    start: (bundle) => {
      const child = spawn(process.execPath, ['-e', bundle], { stdio: ['ignore', 'pipe', 'inherit'] });
      pids.push(child.pid ?? 0);
      child.stdout.once('data', () => onUp());
      return child;
    },
    say: (line) => {
      said.push(line);
      if (line.startsWith('not restarted')) onUp();
    },
    quietMs: 10,
    stopDeadlineMs: 5_000,
  });
  /** Does something and waits until the process it leads to is up, or a build has failed. */
  const next = async (cause: () => void) => {
    const up = new Promise<void>((resolve) => {
      onUp = resolve;
    });
    cause();
    await up;
  };
  return { restarter, pids, said, next };
}

test('many changes at once replace the process once, after it has ended', async () => {
  const { restarter, pids, next } = harness(async () => script);
  await next(() => void restarter.run());
  await next(() => {
    for (const name of ['a.ts', 'b.ts', 'c.ts']) restarter.changed(name);
  });
  expect(pids).toHaveLength(2);
  expect(() => process.kill(pids[0]!, 0)).toThrow();
  expect(await restarter.stop('SIGTERM')).toBe(7);
});

test('a build that fails leaves the running process alone', async () => {
  let fails = false;
  const { restarter, pids, said, next } = harness(async () => {
    if (fails) throw new Error('syntax');
    return script;
  });
  await next(() => void restarter.run());
  fails = true;
  await next(() => restarter.changed('a.ts'));
  expect(said).toContain('not restarted: syntax');
  expect(pids).toHaveLength(1);
  expect(() => process.kill(pids[0]!, 0)).not.toThrow();
  await restarter.stop('SIGTERM');
});
