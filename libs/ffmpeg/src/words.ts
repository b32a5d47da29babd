/** The end of what a program wrote to standard error: enough to say why it failed, never more. */
export class WordTail {
  readonly #limit: number;
  #text = '';

  constructor(limit = 16 * 1024) {
    this.#limit = limit;
  }

  feed(text: string): void {
    this.#text = (this.#text + text).slice(-this.#limit);
  }

  /** Everything that is kept. */
  get text(): string {
    return this.#text;
  }
}

/** Longest reason that is made of ffmpeg's words, characters. */
const longestReason = 600;

/**
 * What ffmpeg said, fit for a user: the last few different lines, without addresses of its objects and without where our files
 * lie (`paths`).
 */
export function reasonOf(words: string, paths: readonly string[]): string {
  let text = words
    .replaceAll(/ @ 0x[0-9a-f]+/g, '')
    .replaceAll(/Format not on whitelist '[^']*'/g, 'this format is not taken');
  for (const path of paths) text = text.replaceAll(`file:${path}`, 'the file').replaceAll(path, 'the file');
  const lines = text
    .split(/[\r\n]+/)
    .map((line) => line.replaceAll(/[^\x20-\x7e\u00a0-\uffff]/g, '?').trim())
    .filter((line) => line !== '');
  const different = lines.filter((line, i) => lines.indexOf(line) === i);
  return different.slice(-4).join('; ').slice(0, longestReason);
}
