/**
 * What was said, as cues that can be read: at most two lines of 42 characters and seven seconds each, as broadcasters' guides (EBU
 * R 37, BBC, Netflix) agree, never two at once.
 */

/** A stretch of speech and what was recognised in it. Times in ms from the beginning of the video. */
export interface Utterance {
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
}

export interface Cue {
  readonly startMs: number;
  readonly endMs: number;
  readonly lines: readonly string[];
}

const lineLength = 42;
const mostLines = 2;
const longestMs = 7_000;
const shortestMs = 700;

/**
 * Cues of the utterances in order of time. Words keep their order and none is lost; a long utterance becomes several cues, each
 * with a part of its time as long as its part of the letters. A cue shown too briefly to be read stays until the next one, at most
 * `shortestMs` long; nothing lasts beyond `durationMs`.
 */
export function cuesOf(utterances: readonly Utterance[], durationMs: number): readonly Cue[] {
  const cues: Cue[] = [];
  const inOrder = utterances.toSorted((a, b) => a.startMs - b.startMs);
  for (const utterance of inOrder) {
    const blocks = blocksOf(utterance.text, maxLetters(utterance));
    const letters = blocks.reduce((sum, block) => sum + lettersIn(block), 0);
    // Whoever recognises speech may say times that overlap, or beyond the end.
    const from = Math.max(utterance.startMs, cues.at(-1)?.endMs ?? 0);
    const until = Math.min(Math.max(utterance.endMs, from), durationMs);
    let said = 0;
    for (const block of blocks) {
      const startMs = at(from, until, said / letters);
      said += lettersIn(block);
      const endMs = at(from, until, said / letters);
      cues.push({ startMs, endMs, lines: block });
    }
  }
  return readable(cues, durationMs);
}

function at(from: number, until: number, share: number): number {
  return Math.round(from + (until - from) * share);
}

/** Letters that a cue may have so that its share of the utterance's time stays below `longestMs`. */
function maxLetters({ text, startMs, endMs }: Utterance): number {
  const share = longestMs / Math.max(endMs - startMs, 1);
  return Math.max(12, Math.min(lineLength * mostLines, Math.floor(text.length * share)));
}

function lettersIn(block: readonly string[]): number {
  return block.reduce((sum, line) => sum + line.length + 1, 0);
}

/** Words in blocks of at most `most` letters, each of at most two lines; a sentence's end, then a comma's, ends a block early. */
function blocksOf(text: string, most: number): readonly (readonly string[])[] {
  const blocks: (readonly string[])[] = [];
  let words: string[] = [];
  const close = () => {
    if (words.length > 0) blocks.push(linesOf(words));
    words = [];
  };
  for (const word of wordsOf(text)) {
    if (words.length > 0 && (length([...words, word]) > most || linesOf([...words, word]).length > mostLines)) close();
    words.push(word);
    if (/[.!?…]["')\]]*$/.test(word) && length(words) > most / 3) close();
  }
  close();
  return blocks;
}

/** Words; one longer than a line (an address, a language without spaces) is cut. */
function wordsOf(text: string): readonly string[] {
  return text
    .split(/\s+/u)
    .filter((word) => word !== '')
    .flatMap((word) => {
      const letters = Array.from(word);
      const parts: string[] = [];
      for (let start = 0; start < letters.length; start += lineLength) {
        parts.push(letters.slice(start, start + lineLength).join(''));
      }
      return parts;
    });
}

function length(words: readonly string[]): number {
  return words.reduce((sum, word) => sum + word.length + 1, -1);
}

function linesOf(words: readonly string[]): readonly string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > lineLength) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** Cues without any that last no time; one that is too short takes from the pause behind it. */
function readable(cues: readonly Cue[], durationMs: number): readonly Cue[] {
  return cues.flatMap((cue, i) => {
    const next = cues[i + 1]?.startMs ?? durationMs;
    const endMs = Math.min(Math.max(cue.endMs, Math.min(cue.startMs + shortestMs, next)), durationMs);
    return endMs > cue.startMs ? [{ ...cue, endMs }] : [];
  });
}
