/**
 * Playing without being asked. Browsers refuse sound before the viewer has touched the page: then it plays muted, and
 * the page offers the sound. Some (low-power mode) refuse even that: then the big play button stays.
 */

export type AutoplayOutcome = 'playing' | 'muted-by-browser' | 'needs-touch' | 'interrupted';

/** Tries with the sound the viewer last had, then muted. */
export async function autoplay(video: HTMLVideoElement): Promise<AutoplayOutcome> {
  const first = await tryPlay(video);
  if (first !== 'refused') return first;
  if (video.muted) return 'needs-touch';
  video.muted = true;
  const second = await tryPlay(video);
  if (second === 'playing') return 'muted-by-browser';
  return second === 'refused' ? 'needs-touch' : second;
}

async function tryPlay(video: HTMLVideoElement): Promise<'playing' | 'refused' | 'interrupted'> {
  try {
    await video.play();
    return 'playing';
  } catch (error) {
    // AbortError: a new load or a pause came in between, which is nobody's refusal.
    return error instanceof DOMException && error.name === 'NotAllowedError' ? 'refused' : 'interrupted';
  }
}
