/** Small videos that ffmpeg makes: a moving test picture and a tone, or a voice (espeak-ng). */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProgram } from './child-program.ts';

export interface TestMedia extends AsyncDisposable {
  /** Path of an MP4 of that length; made once. */
  video(seconds: number, size?: string): Promise<string>;
  /** Path of a PNG of that size. */
  picture(size: string): Promise<string>;
  /** The same in which a voice says `text`, as long as that takes. */
  speech(text: string): Promise<string>;
}

const videoArgs = [...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '25', '-c:a', 'aac']];

/** Runs ffmpeg; gives `path` again. */
async function encode(path: string, args: readonly string[]): Promise<string> {
  await using encoder = startProgram('ffmpeg', ['-hide_banner', '-loglevel', 'error', ...args, path]);
  if ((await encoder.ended).code !== 0) throw new Error(`ffmpeg did not make ${path}: ${encoder.stderr()}`);
  return path;
}

/** A folder of them, removed in the end. */
export async function openTestMedia(): Promise<TestMedia> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-media-'));
  const made = new Map<string, Promise<string>>();
  const make = (seconds: number, size: string): Promise<string> =>
    encode(join(folder, `${seconds}-${size}.mp4`), [
      ...['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=25`],
      ...['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000', '-t', String(seconds), ...videoArgs],
    ]);
  const makeSpeech = async (text: string): Promise<string> => {
    const [voice, path] = [join(folder, 'voice.wav'), join(folder, 'speech.mp4')];
    await using speaker = startProgram('espeak-ng', [
      ...['-v', 'en-us+f2', '-s', '130', '-p', '50', '-g', '4', '-w', voice],
      text,
    ]);
    if ((await speaker.ended).code !== 0) throw new Error(`espeak-ng said nothing: ${speaker.stderr()}`);
    const shown = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25'];
    return encode(path, ['-i', voice, ...shown, ...videoArgs, '-shortest']);
  };
  return {
    speech: makeSpeech,
    picture: (size) =>
      encode(join(folder, `${size}.png`), ['-f', 'lavfi', '-i', `testsrc2=size=${size}`, '-frames:v', '1']),
    video(seconds, size = '320x180') {
      const name = `${seconds} ${size}`;
      const known = made.get(name) ?? make(seconds, size);
      made.set(name, known);
      return known;
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
