import { describe, expect, it } from 'vitest';
import { OriginHealth } from './origin-health.ts';

describe('an origin that fails', () => {
  it('is left alone ever longer, and asked at once after an answer', () => {
    const health = new OriginHealth((attempt) => 100 * 2 ** attempt);
    health.failed('a', 0);
    expect([health.mayAsk('a', 99), health.mayAsk('a', 100), health.mayAsk('b', 0)]).toEqual([false, true, true]);
    health.failed('a', 100);
    expect([health.mayAsk('a', 299), health.mayAsk('a', 300), health.away(299)]).toEqual([false, true, 1]);
    health.answered('a');
    expect(health.mayAsk('a', 101)).toBe(true);
    health.failed('a', 400);
    expect(health.mayAsk('a', 500)).toBe(true);
  });

  it('fails once when many requests fail together', () => {
    const health = new OriginHealth((attempt) => 100 * 2 ** attempt);
    for (let i = 0; i < 50; i++) health.failed('a', 0);
    expect(health.mayAsk('a', 100)).toBe(true);
  });
});
