import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Doubts, type HeardUtterance, withoutNoise } from './speech-noise.ts';

const said = (texts: readonly string[], doubts?: Doubts): readonly HeardUtterance[] =>
  texts.map((text, i) => ({
    ...{ startMs: i * 1_000, endMs: i * 1_000 + 900, text },
    ...(doubts === undefined ? {} : { doubts }),
  }));
const left = (heard: readonly HeardUtterance[]) => withoutNoise(heard).utterances.map(({ text }) => text);
const counts = (heard: readonly HeardUtterance[]) => Object.fromEntries(withoutNoise(heard).dropped);

describe('what Whisper itself would drop', () => {
  it.each<[string, Doubts, Record<string, number>]>([
    ['a text that repeats itself', { compressionRatio: 2.41 }, { 'repeats-itself': 1 }],
    ['a text like others', { compressionRatio: 2.4, noSpeechProbability: 0.2, meanLogProbability: -0.4 }, {}],
    ['words in silence', { noSpeechProbability: 0.61, meanLogProbability: -1.01 }, { 'no-speech': 1 }],
    ['quiet speech that it is sure of', { noSpeechProbability: 0.9, meanLogProbability: -0.5 }, {}],
    ['unclear speech', { noSpeechProbability: 0.3, meanLogProbability: -1.8 }, {}],
    ['a text of which it says half', { noSpeechProbability: 0.9 }, {}],
    ['a text of which it says nothing', {}, {}],
  ])('%s', (_what, doubts, dropped) => {
    const heard = said(['good morning'], doubts);
    expect(counts(heard)).toEqual(dropped);
    expect(left(heard)).toHaveLength(Object.keys(dropped).length === 0 ? 1 : 0);
  });
});

describe('loops', () => {
  it('are heard once, whatever their commas, with what was said before and after', () => {
    const heard = said(['Hello.', 'Thank you.', 'thank you', 'Thank you!', 'Thank you...', ' Thank you', 'Bye.']);
    expect(left(heard)).toEqual(['Hello.', 'Thank you.', 'Bye.']);
    expect(counts(heard)).toEqual({ loop: 4 });
  });

  it('may have a round of several texts, and break off within one', () => {
    const heard = said([...['a', 'b', 'c'], ...['a', 'b', 'c'], ...['a', 'b', 'c'], ...['a', 'b', 'c'], 'a', 'b', 'z']);
    expect(left(heard)).toEqual(['a', 'b', 'c', 'z']);
    expect(counts(heard)).toEqual({ loop: 11 });
  });

  it('are not what people say three times, or again later', () => {
    const texts = [
      'No.',
      'No.',
      'No.',
      'Wait.',
      'No.',
      'はい',
      'はい',
      'はい',
      '♪',
      '...',
      'Yes.',
      'No.',
      'Yes.',
      'No.',
    ];
    expect(left(said(texts))).toEqual(texts);
  });

  it('also in writing without spaces, and of signs alone', () => {
    expect(left(said(['はい。', 'はい', 'はい。', 'はい', '♪', '♪', '♪', '♪']))).toEqual(['はい。', '♪']);
  });
});

it('what is left is what was heard, in order, and everything else is counted', () => {
  const doubts = fc.record(
    {
      compressionRatio: fc.double({ min: 0, max: 30, noNaN: true }),
      noSpeechProbability: fc.double({ min: 0, max: 1, noNaN: true }),
      meanLogProbability: fc.double({ min: -5, max: 0, noNaN: true }),
    },
    { requiredKeys: [] },
  );
  const utterance = fc.record({ text: fc.constantFrom('a', 'B', 'b.', 'c', ''), doubts }, { requiredKeys: ['text'] });
  fc.assert(
    fc.property(fc.array(utterance, { maxLength: 40 }), (given) => {
      const heard = given.map((one, i) => ({ startMs: i, endMs: i + 1, ...one }));
      const { utterances, dropped } = withoutNoise(heard);
      const times = utterances.map(({ startMs }) => startMs);
      expect(times).toEqual([...new Set(times)].toSorted((a, b) => a - b));
      for (const { startMs, text } of utterances) expect(heard[startMs]?.text).toBe(text);
      const gone = [...dropped.values()].reduce((sum, count) => sum + count, 0);
      expect(gone + utterances.length).toBe(heard.length);
    }),
  );
});

it('of a round of up to four texts that comes four times or more one is left, and all of one that comes less often', () => {
  const round = fc.uniqueArray(fc.string({ unit: fc.constantFrom(...'abcdef'), minLength: 1 }), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(round, fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 3 }), (texts, rounds, more) => {
      const rest = texts.slice(0, more % texts.length);
      const heard = [...Array.from({ length: rounds }, () => texts).flat(), ...rest];
      expect(left(said(heard))).toEqual(rounds >= 4 ? texts : heard);
    }),
  );
});
