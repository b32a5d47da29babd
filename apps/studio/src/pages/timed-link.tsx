/** A link to something private: made for a time that the user picks, then shown to be copied. */
import { type ReactNode, useState } from 'react';
import type { Answer } from '../api/caller.ts';
import { ExternalIcon } from '../parts/icons.tsx';
import { ErrorNotice } from '../parts/notice.tsx';
import { useAction } from './use-call.ts';

const lifetimes = [
  { seconds: 3_600, label: '1 hour' },
  { seconds: 43_200, label: '12 hours' },
  { seconds: 604_800, label: '7 days' },
  { seconds: 2_592_000, label: '30 days' },
] as const;

interface TimedLinkProps<L> {
  /** What is private: "stream". */
  readonly what: string;
  readonly create: (lifetimeS: number) => Answer<L>;
  readonly show: (link: L) => ReactNode;
}

export function TimedLink<L>({ what, create, show }: TimedLinkProps<L>) {
  const { busy, error, run } = useAction();
  const [lifetimeS, setLifetimeS] = useState<number>(43_200);
  const [made, setMade] = useState<{ readonly link: L } | undefined>(undefined);
  const onCreate = async () => {
    const link = await run(() => create(lifetimeS));
    if (link !== undefined) setMade({ link });
  };
  return (
    <>
      <p className="hint">This {what} is private: each link that you create works until it expires.</p>
      <div className="inline-form">
        <div className="field">
          <label htmlFor="link-lifetime">Valid for</label>
          <select id="link-lifetime" value={lifetimeS} onChange={(event) => setLifetimeS(Number(event.target.value))}>
            {lifetimes.map((lifetime) => (
              <option key={lifetime.seconds} value={lifetime.seconds}>
                {lifetime.label}
              </option>
            ))}
          </select>
        </div>
        <button type="button" className="button" disabled={busy} onClick={() => void onCreate()}>
          Create link
        </button>
      </div>
      <ErrorNotice error={error} />
      {made !== undefined && show(made.link)}
    </>
  );
}

export function OpenLink({ url }: { readonly url: string }) {
  return (
    <a className="text-link" href={url} target="_blank" rel="noreferrer">
      Open the watch page <ExternalIcon />
    </a>
  );
}
