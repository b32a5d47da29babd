/**
 * `npm start`: sets the machine up if it is not yet, then becomes the standalone server. The server runs in this process, so
 * signals, exit codes and `kill` mean what they say, and nothing can be orphaned. `start.mjs admin-link` runs that command
 * of the standalone app instead.
 */
import { pathToFileURL } from 'node:url';
import { ensureRunBundle } from './bundle.mjs';
import { ensureDependencies } from './dependencies.mjs';
import { checkNodeVersion } from './node-version.mjs';
import { ensurePrograms, offerPrograms } from './programs.mjs';
import { entry } from './report.mjs';
import { ensureStudio } from './studio.mjs';

await entry(async () => {
  checkNodeVersion();
  await ensureDependencies();
  await ensurePrograms(['ffmpeg', 'ffprobe']);
  await offerPrograms(['pocketsphinx-en-us'], 'videos get no subtitles, unless TRANSCODE_ASR_URL is set');
  await ensureStudio();
  const bundle = await ensureRunBundle('standalone', `src/${process.argv[2] ?? 'main'}.ts`);
  process.setSourceMapsEnabled(true);
  await import(pathToFileURL(bundle).href);
});
