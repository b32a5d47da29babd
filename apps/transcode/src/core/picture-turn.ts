/** How a stored picture is turned to be shown, as EXIF says it: 1..8. */
const turns: Readonly<Record<number, readonly string[]>> = {
  2: ['hflip'],
  3: ['hflip', 'vflip'],
  4: ['vflip'],
  5: ['transpose=cclock_flip'],
  6: ['transpose=clock'],
  7: ['transpose=clock_flip'],
  8: ['transpose=cclock'],
};

interface Size {
  readonly width: number;
  readonly height: number;
}

/** The filters that turn it. */
export function turnsOf(orientation: number): readonly string[] {
  return turns[orientation] ?? [];
}

/** Its size once it is turned. */
export function turnedSize(stored: Size, orientation: number): Size {
  return orientation >= 5 ? { width: stored.height, height: stored.width } : stored;
}
