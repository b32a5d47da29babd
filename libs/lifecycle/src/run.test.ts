import { spawn } from 'node:child_process';
import { expect, it } from 'vitest';
import { exitCode } from './run.ts';

/** Runs `open` as a main would, in a process of its own; `onLine` is told of the phases. Resolves with the exit code. */
async function runMain(
  open: string,
  onPhase: (phase: string, send: (signal: NodeJS.Signals) => void) => void,
): Promise<number | null> {
  const main = `
    import { runUntilSignal } from ${JSON.stringify(new URL('./run.ts', import.meta.url).href)};
    const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms).unref());
    const onPhase = (phase) => process.stdout.write(phase + '\\n');
    console.log('opening');
    process.exit(await runUntilSignal(${open}, { drainDeadlineMs: 200, onPhase }));`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', main], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (data: string) => {
    text += data;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      onPhase(text.slice(0, end), (signal) => child.kill(signal));
      text = text.slice(end + 1);
    }
  });
  return new Promise((resolve) => child.once('exit', (code) => resolve(code)));
}

it('a service that waits for nothing but a clock while it opens is waited for, not ended with exit code 13', async () => {
  const phases: string[] = [];
  const service = '{ [Symbol.asyncDispose]: () => pause(20) }';
  const code = await runMain(`async () => { await pause(100); return ${service}; }`, (phase, send) => {
    phases.push(phase);
    if (phase === 'started') send('SIGTERM');
  });
  expect([phases, code]).toEqual([['opening', 'started', 'draining', 'stopped'], exitCode.ok]);
});

it('a service that never opens ends at a signal, once the time of a drain is over', async () => {
  const phases: string[] = [];
  const code = await runMain('() => new Promise(() => onPhase("waiting"))', (phase, send) => {
    phases.push(phase);
    if (phase === 'waiting') send('SIGTERM');
  });
  expect([phases, code]).toEqual([['opening', 'waiting', 'stopped'], exitCode.drainOverran]);
});
