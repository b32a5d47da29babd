import { startProgram } from './child-program.ts';

/** ffmpeg 5.1 feeds the init section again after each reload of any live playlist with EXT-X-MAP, and says so itself. */
const ownRepetition = /\[warning\] Found duplicated MOOV Atom\. Skipped it$/;

/**
 * Lets ffmpeg play a stream for `seconds` of media and decode all of it. Resolves with every line it had to say at level
 * `warning` or above (none: all was well) and the frames it decoded of each kind.
 */
export async function decodeWithFfmpeg(
  hlsUrl: string,
  seconds: number,
): Promise<{ readonly warnings: readonly string[]; readonly videoFrames: number; readonly audioSamples: number }> {
  await using player = startProgram('ffmpeg', [
    ...['-hide_banner', '-nostdin', '-loglevel', 'level+warning', '-progress', 'pipe:1', '-stats_period', '1'],
    ...['-i', hlsUrl, '-t', String(seconds), '-map', '0:v?', '-map', '0:a?'],
    ...['-c:v', 'rawvideo', '-c:a', 'pcm_s16le', '-f', 'null', '-'],
  ]);
  const limit = setTimeout(() => player.process.kill('SIGKILL'), (seconds + 25) * 1_000);
  const { code } = await player.ended;
  clearTimeout(limit);
  const warnings = player
    .stderr()
    .split('\n')
    .filter((line) => line.trim() !== '' && !ownRepetition.test(line));
  if (code !== 0) warnings.push(`ffmpeg ended with exit code ${code}`);
  const last = (name: string) =>
    Number([...player.stdout().matchAll(new RegExp(`^${name}=\\s*(\\d+)`, 'gm'))].at(-1)?.[1] ?? 0);
  return { warnings, videoFrames: last('frame'), audioSamples: Math.round((last('out_time_us') * 48) / 1000) };
}
