/** Whether pointer and keyboard have rested for a while. */
import { type RefObject, useEffect, useState } from 'react';

const stirs = ['pointermove', 'pointerdown', 'focusin'] as const;

/** True `afterMs` after the last movement over `area` or key press anywhere. */
export function useIdle(area: RefObject<HTMLElement | null>, afterMs: number): boolean {
  const [idle, setIdle] = useState(false);
  useEffect(() => {
    const element = area.current;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stir = () => {
      setIdle(false);
      clearTimeout(timer);
      timer = setTimeout(() => setIdle(true), afterMs);
    };
    stir();
    for (const name of stirs) element?.addEventListener(name, stir);
    document.addEventListener('keydown', stir);
    return () => {
      clearTimeout(timer);
      for (const name of stirs) element?.removeEventListener(name, stir);
      document.removeEventListener('keydown', stir);
    };
  }, [area, afterMs]);
  return idle;
}
