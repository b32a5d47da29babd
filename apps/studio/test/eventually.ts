/** Waits for something of the page to become as expected, longer than a busy machine takes. */
import { expect } from 'vitest';

export function eventually<T>(read: () => T | Promise<T>) {
  return expect.poll(read, { timeout: 15_000 });
}
