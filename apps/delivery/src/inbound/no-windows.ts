import type { LiveWindowOrigin } from '@millrace/handover';
import { err } from '@millrace/result';

/** The writer's door of an edge: there are no windows behind it. */
export function createNoWindows(): LiveWindowOrigin {
  const refuse = () =>
    Promise.resolve(err({ kind: 'not-open', message: 'this delivery is an edge: write to an origin' } as const));
  return { open: refuse, part: refuse, end: refuse, standing: refuse };
}
