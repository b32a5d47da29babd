/**
 * What a recogniser says that nobody said. Models of Whisper's kind go on in silence and music: they repeat themselves, or thank for
 * watching. Each text comes with the model's own doubts, and Whisper's own program drops it by the thresholds below; servers hand it on.
 */
import type { Utterance } from './subtitle-cues.ts';

/** What a recogniser thinks of a text of its own; what it does not say is undefined. */
export interface Doubts {
  /** Bytes of the text over those of it compressed by zlib: high for what repeats itself. */
  readonly compressionRatio?: number | undefined;
  /** 0..1, that there is no speech at all. */
  readonly noSpeechProbability?: number | undefined;
  /** Mean natural logarithm of the probability of its tokens: below 0, the lower the less sure. */
  readonly meanLogProbability?: number | undefined;
}

export interface HeardUtterance extends Utterance {
  readonly doubts?: Doubts;
}

/** `repeats-itself`: within one text; `no-speech`: the model did not believe it itself; `loop`: the same texts over and over. */
export type NoiseReason = 'repeats-itself' | 'no-speech' | 'loop';

/** Defaults of Whisper's `transcribe`. */
const highestCompression = 2.4;
const likelySilence = 0.6;
const leastLogProbability = -1;
/** People repeat themselves too: a loop is the same texts, so many at most, so often in a row at least. */
const longestRound = 4;
const fewestRounds = 4;

export interface Speech {
  readonly utterances: readonly Utterance[];
  /** How many were dropped, by reason. */
  readonly dropped: ReadonlyMap<NoiseReason, number>;
}

/** The utterances without noise, in their order; of a loop its first round stays, as that may have been said. */
export function withoutNoise(heard: readonly HeardUtterance[]): Speech {
  const dropped = new Map<NoiseReason, number>();
  const drop = (reason: NoiseReason, count: number) => dropped.set(reason, (dropped.get(reason) ?? 0) + count);
  const believed = heard.filter(({ doubts }) => {
    const reason = doubts === undefined ? undefined : doubtful(doubts);
    if (reason !== undefined) drop(reason, 1);
    return reason === undefined;
  });
  const texts = believed.map(({ text }) => comparable(text));
  const utterances: Utterance[] = [];
  for (let at = 0; at < believed.length; ) {
    const loop = loopAt(texts, at);
    const kept = loop?.round ?? 1;
    for (const { startMs, endMs, text } of believed.slice(at, at + kept)) utterances.push({ startMs, endMs, text });
    if (loop !== undefined) drop('loop', loop.length - kept);
    at += loop?.length ?? 1;
  }
  return { utterances, dropped };
}

function doubtful({ compressionRatio, noSpeechProbability, meanLogProbability }: Doubts): NoiseReason | undefined {
  if ((compressionRatio ?? 0) > highestCompression) return 'repeats-itself';
  const silent = (noSpeechProbability ?? 0) > likelySilence && (meanLogProbability ?? 0) < leastLogProbability;
  return silent ? 'no-speech' : undefined;
}

/** The loop that begins at `at`: of how many texts its round is, and of how many the whole. */
function loopAt(texts: readonly string[], at: number): { readonly round: number; readonly length: number } | undefined {
  for (let round = 1; round <= longestRound; round++) {
    let end = at + round;
    while (end < texts.length && texts[end] === texts[end - round]) end++;
    if (end - at >= round * fewestRounds) return { round, length: end - at };
  }
  return undefined;
}

/** A text without what may differ from one round to the next: case, punctuation, spaces. Where nothing else is in it, as it is. */
function comparable(text: string): string {
  const letters = text.toLowerCase().replaceAll(/[^\p{L}\p{M}\p{N}]/gu, '');
  return letters === '' ? text : letters;
}
