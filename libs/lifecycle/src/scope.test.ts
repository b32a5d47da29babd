import { describe, expect, it } from 'vitest';
import { Background } from './background.ts';
import { backoffMs } from './backoff.ts';
import { Scope } from './scope.ts';

describe('a scope', () => {
  it('closes what it holds last-opened first, once, with its signal aborted before', async () => {
    const closed: string[] = [];
    const scope = new Scope();
    scope.defer('first', () => closed.push(`first aborted=${scope.signal.aborted}`));
    scope.defer('second', async () => closed.push('second'));
    await Promise.all([scope[Symbol.asyncDispose](), scope[Symbol.asyncDispose]()]);
    expect(closed).toEqual(['second', 'first aborted=true']);
  });

  it('goes on when a close throws or overruns its deadline, and reports it', async () => {
    const errors: string[] = [];
    const closed: string[] = [];
    const scope = new Scope({ stepDeadlineMs: 10, onError: (name, error) => errors.push(`${name}: ${String(error)}`) });
    scope.defer('last', () => closed.push('last'));
    scope.defer('stuck', () => new Promise(() => {}));
    scope.defer('throws', () => {
      throw new Error('no');
    });
    await scope[Symbol.asyncDispose]();
    expect(closed).toEqual(['last']);
    expect(errors).toEqual(['throws: Error: no', 'stuck: Error: close took longer than 10 ms']);
  });

  it('takes nothing once it closes', async () => {
    const scope = new Scope();
    await scope[Symbol.asyncDispose]();
    expect(() => scope.defer('late', () => {})).toThrow('scope is closing');
  });
});

describe('a background loop', () => {
  it('is aborted and awaited by its close', async () => {
    let ended = false;
    const loop = new Background(
      async (signal) => {
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        ended = true;
      },
      () => {},
    );
    await loop[Symbol.asyncDispose]();
    expect(ended).toBe(true);
  });

  it('reports a crash', async () => {
    const crashes: unknown[] = [];
    const loop = new Background(
      () => Promise.reject(new Error('boom')),
      (error) => crashes.push(error),
    );
    await loop.done;
    expect(crashes).toEqual([new Error('boom')]);
  });
});

describe('backoff', () => {
  it('doubles with jitter and stays under its cap', () => {
    expect([0, 1, 2, 10].map((n) => backoffMs(n, 100, 1000, 0))).toEqual([50, 100, 200, 500]);
    expect([0, 1, 2, 10].map((n) => backoffMs(n, 100, 1000, 0.999999)).map(Math.round)).toEqual([100, 200, 400, 1000]);
  });
});
