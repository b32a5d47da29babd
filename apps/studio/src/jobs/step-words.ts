/** Steps of the pipelines, as people call them; one that this version does not know stays as it is. */
export function stepWords(name: string): string {
  const words: Readonly<Record<string, string>> = {
    probe: 'Read the file',
    audio: 'Sound',
    subtitles: 'Subtitles',
    poster: 'Poster and storyboard',
    ladder: 'Encode the renditions',
    publish: 'Publish',
    inspect: 'Look at the inputs',
    normalise: 'Bring the inputs to one format',
    join: 'Join',
    animate: 'Draw the frames',
  };
  return words[name] ?? name;
}

/** What to do about a failure, where that is known; empty where it is not. */
export function adviceFor(code: string): string {
  if (/source/.test(code)) return 'Upload the file again, or check the address that it was imported from.';
  if (/codec|format|media|invalid|probe|unreadable/.test(code)) {
    return 'Check that the file plays elsewhere, or export it anew as MP4 with H.264 and AAC.';
  }
  if (/limit|long|large|pixels|duration/.test(code)) return 'Make it shorter or smaller, or ask for a higher limit.';
  if (/lapsed|worker|retry|attempts|internal/.test(code)) return 'This may pass: try it again.';
  return '';
}
