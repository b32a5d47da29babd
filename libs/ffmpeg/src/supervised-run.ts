import type { Logger } from '@millrace/log';
import { err, ok, type Result } from '@millrace/result';
import { startTree, type TreeEnd } from './process-tree.ts';
import { reasonOf, WordTail } from './words.ts';

export type FfmpegFailure =
  /** It ended with an error: bad input most of the time. `reason` is in ffmpeg's words, without paths of ours. */
  | { readonly kind: 'failed'; readonly code: number; readonly reason: string }
  /** Somebody else ended it: the kernel for want of memory, an operator. */
  | { readonly kind: 'killed'; readonly signal: string; readonly reason: string }
  | { readonly kind: 'stalled'; readonly reason: string }
  | { readonly kind: 'too-long'; readonly reason: string }
  /** No such program. */
  | { readonly kind: 'unstarted'; readonly reason: string };

export interface FfmpegEnd {
  /** What it had to say at level warning, bounded: for filters that print, and to see whether it was content. */
  readonly words: string;
}

export interface SupervisedRun {
  readonly program: string;
  readonly args: readonly string[];
  readonly niceness: number;
  readonly stallMs: number;
  readonly totalMs: number;
  readonly signal: AbortSignal;
  /** Reads standard output. When it rejects, the run is ended and rejects with the same; without it the output is thrown away. */
  readonly onOutput: ((bytes: AsyncIterable<Uint8Array>) => Promise<void>) | undefined;
  /** Text of pipe 3; `further` puts off the stall. */
  readonly onThird: (text: string, further: () => void) => void;
  /** Paths that reasons must not show. */
  readonly paths: readonly string[];
  readonly log: Logger;
}

/** Runs a program of ffmpeg's to its end. Rejects only when aborted, or when `onOutput` rejected; by then nothing of it runs. */
export async function superviseRun(run: SupervisedRun): Promise<Result<FfmpegEnd, FfmpegFailure>> {
  run.signal.throwIfAborted();
  const tree = startTree(run);
  const words = new WordTail();
  tree.stderr.setEncoding('utf8').on('data', (text: string) => words.feed(text));

  let late: 'stalled' | 'too-long' | undefined;
  const stop = (why: 'stalled' | 'too-long') => {
    late ??= why;
    tree.end();
  };
  const stall = setTimeout(() => stop('stalled'), run.stallMs);
  const total = setTimeout(() => stop('too-long'), run.totalMs);
  tree.third.setEncoding('utf8').on('data', (text: string) => run.onThird(text, () => stall.refresh()));

  const onAbort = () => tree.end();
  run.signal.addEventListener('abort', onAbort, { once: true });
  let outputError: { readonly error: unknown; readonly afterEnd: boolean } | undefined;
  const output = readOutput(run, tree.stdout).catch((error: unknown) => {
    outputError = { error, afterEnd: tree.stdout.readableEnded };
    tree.end();
    tree.stdout.destroy();
  });
  try {
    const [end] = await Promise.all([tree.ended, output]);
    run.signal.throwIfAborted();
    const result = resultOf(end, late, run, words.text);
    // A reader that stopped in the middle broke the run; one that met an early end was broken by it.
    if (outputError !== undefined && (result.ok || !outputError.afterEnd)) throw outputError.error;
    if (!result.ok) run.log.info('ffmpeg-failed', { ...result.error, words: words.text.slice(-2_000) });
    return result;
  } finally {
    clearTimeout(stall);
    clearTimeout(total);
    run.signal.removeEventListener('abort', onAbort);
  }
}

async function readOutput(run: SupervisedRun, stdout: AsyncIterable<Uint8Array>): Promise<void> {
  if (run.onOutput !== undefined) return run.onOutput(stdout);
  for await (const _ of stdout);
}

function resultOf(
  end: TreeEnd,
  late: 'stalled' | 'too-long' | undefined,
  run: SupervisedRun,
  words: string,
): Result<FfmpegEnd, FfmpegFailure> {
  const reason = reasonOf(words, run.paths);
  if (late === 'stalled') return err({ kind: late, reason: `got no further for ${run.stallMs} ms. ${reason}`.trim() });
  if (late === 'too-long') return err({ kind: late, reason: `was not done after ${run.totalMs} ms. ${reason}`.trim() });
  switch (end.kind) {
    case 'exited':
      if (end.code === 0) return ok({ words });
      return err({ kind: 'failed', code: end.code, reason: reason || `ended with code ${end.code}` });
    case 'killed':
      return err({ kind: 'killed', signal: end.signal, reason: `was ended by ${end.signal}` });
    case 'unstarted':
      return err({ kind: 'unstarted', reason: end.message });
  }
}
