import { describe, expect, it } from 'vitest';
import { SpeechLog } from './speech-log.ts';

function read(...lines: readonly string[]) {
  const log = new SpeechLog();
  for (const line of lines) log.read(line);
  return log.utterances;
}

const frame = (atS: number) => `frame:1    pts:1   pts_time:${atS}`;

describe('the print of the recogniser', () => {
  it('begins an utterance with the speech, not with its text, and ends it with the silence', () => {
    expect(
      read(
        ...[frame(0.1), 'lavfi.silence_start=0', frame(1.1), 'lavfi.silence_end=1', 'lavfi.silence_duration=1'],
        ...[frame(3.4), 'lavfi.silence_start=3.1', frame(3.7), 'lavfi.asr.text=good morning'],
        ...[
          frame(5),
          'lavfi.silence_end=4.9',
          frame(8),
          'lavfi.silence_start=7.5',
          frame(8.2),
          'lavfi.asr.text=and welcome',
        ],
      ),
    ).toEqual([
      { startMs: 1_000, endMs: 3_100, text: 'good morning' },
      { startMs: 4_900, endMs: 7_500, text: 'and welcome' },
    ]);
  });

  it('takes a text half a second back where no silence was seen, as in noise', () => {
    expect(read(frame(2), 'lavfi.asr.text=one', frame(4), 'lavfi.asr.text=two')).toEqual([
      { startMs: 0, endMs: 1_500, text: 'one' },
      { startMs: 1_500, endMs: 3_500, text: 'two' },
    ]);
  });

  it('knows no utterance without words', () => {
    expect(read(frame(1), 'lavfi.asr.text=', frame(2), 'lavfi.asr.text= ', 'anything else', '')).toEqual([]);
  });
});
