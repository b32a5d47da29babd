/** A message on the page: what went wrong, what to know, what to keep. */
import type { ReactNode } from 'react';
import { type ApiError, errorText } from '../api/api-error.ts';
import { WarningIcon } from './icons.tsx';

interface NoticeProps {
  readonly tone: 'error' | 'warning' | 'good' | 'plain';
  readonly children: ReactNode;
}

export function Notice({ tone, children }: NoticeProps) {
  return (
    <div className={`notice notice-${tone}`} role={tone === 'error' ? 'alert' : undefined}>
      {(tone === 'error' || tone === 'warning') && <WarningIcon />}
      <div>{children}</div>
    </div>
  );
}

/** The reason why a call failed, in words; nothing when there is none. */
export function ErrorNotice({ error }: { readonly error: ApiError | undefined }) {
  return error === undefined ? null : <Notice tone="error">{errorText(error)}</Notice>;
}
