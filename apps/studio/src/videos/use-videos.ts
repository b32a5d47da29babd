import { useMemo } from 'react';
import { useStudio } from '../session/context.tsx';
import { type VideoCalls, videoCalls } from './video-calls.ts';

export function useVideoCalls(): VideoCalls {
  const { caller } = useStudio().api;
  return useMemo(() => videoCalls(caller), [caller]);
}

/** Whether who is signed in may make and change media. */
export function useMayChange(): boolean {
  const { session } = useStudio();
  return session?.role === 'admin' || session?.role === 'broadcaster';
}
