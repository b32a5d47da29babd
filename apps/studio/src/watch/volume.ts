/** The viewer's volume, remembered in this browser. */
const storageKey = 'millrace.volume';

export interface Volume {
  /** 0 to 1. */
  readonly volume: number;
  readonly muted: boolean;
}

export function rememberedVolume(): Volume {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(storageKey) ?? 'null');
    if (typeof stored !== 'object' || stored === null) return { volume: 1, muted: false };
    const volume = 'volume' in stored && typeof stored.volume === 'number' ? stored.volume : 1;
    return { volume: Math.min(1, Math.max(0, volume)), muted: 'muted' in stored && stored.muted === true };
  } catch {
    return { volume: 1, muted: false }; // storage may be blocked
  }
}

export function rememberVolume(volume: Volume): void {
  try {
    localStorage.setItem(storageKey, JSON.stringify(volume));
  } catch {
    // Storage may be blocked or full; the page works without.
  }
}
