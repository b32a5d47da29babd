/** Calls of the API in React: ask on mount, ask again every so often, and run one action at a time. */
import { useCallback, useEffect, useRef, useState } from 'react';
import type { ApiError } from '../api/api-error.ts';
import type { Answer } from '../api/caller.ts';

export interface Loaded<T> {
  /** The last good answer; kept while a later call fails. */
  readonly value: T | undefined;
  /** Why the last call failed. */
  readonly error: ApiError | undefined;
  /** Asks again now. */
  readonly refresh: () => void;
}

/**
 * Asks when the component is mounted and, with `everyMs`, that long after each answer while the page is visible. `ask`
 * must be stable (useCallback): another `ask` starts anew. Without an `ask` nothing is asked.
 */
export function useLoaded<T>(ask: ((signal: AbortSignal) => Answer<T>) | undefined, everyMs?: number): Loaded<T> {
  const [value, setValue] = useState<T | undefined>(undefined);
  const [error, setError] = useState<ApiError | undefined>(undefined);
  const again = useRef<() => void>(() => undefined);

  useEffect(() => {
    if (ask === undefined) return;
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let asking = false;
    const run = async () => {
      clearTimeout(timer);
      if (asking || abort.signal.aborted) return;
      asking = true;
      const answer = await ask(abort.signal);
      asking = false;
      if (abort.signal.aborted) return;
      if (answer.ok) {
        setValue(answer.value);
        setError(undefined);
      } else {
        setError(answer.error);
      }
      if (everyMs !== undefined && !document.hidden) timer = setTimeout(() => void run(), everyMs);
    };
    const onVisible = () => {
      if (!document.hidden && everyMs !== undefined) void run();
    };
    again.current = () => void run();
    document.addEventListener('visibilitychange', onVisible);
    void run();
    return () => {
      abort.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', onVisible);
    };
  }, [ask, everyMs]);

  const refresh = useCallback(() => again.current(), []);
  return { value, error, refresh };
}

export interface Action {
  readonly busy: boolean;
  readonly error: ApiError | undefined;
  /** Runs a call unless one is running; gives its value when it succeeded. */
  readonly run: <T>(call: () => Answer<T>) => Promise<T | undefined>;
}

/** One thing the user does at a time, with its failure. */
export function useAction(): Action {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | undefined>(undefined);
  const running = useRef(false);
  const run = useCallback(async <T>(call: () => Answer<T>): Promise<T | undefined> => {
    if (running.current) return undefined;
    running.current = true;
    setBusy(true);
    setError(undefined);
    const answer = await call();
    running.current = false;
    setBusy(false);
    if (answer.ok) return answer.value;
    setError(answer.error);
    return undefined;
  }, []);
  return { busy, error, run };
}
