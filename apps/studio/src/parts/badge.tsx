import type { ReactNode } from 'react';

interface BadgeProps {
  readonly tone: 'plain' | 'good' | 'warn' | 'bad';
  readonly children: ReactNode;
}

/** A word or two on what something is at the moment. */
export function Badge({ tone, children }: BadgeProps) {
  return <span className={tone === 'plain' ? 'badge' : `badge badge-${tone}`}>{children}</span>;
}
