/** `npm run admin-link`: asks the running standalone for a new one-time admin link and prints it. */
import { exitCode } from '@millrace/lifecycle';
import { readStandaloneSettings } from './config.ts';
import { askOperatorSocket } from './inbound/operator-socket.ts';

const settings = readStandaloneSettings();
const answer = await askOperatorSocket(settings.DATA_DIR, 'admin-link');
if (answer === undefined) {
  process.stderr.write(
    `No Millrace runs on ${settings.DATA_DIR}: start it with npm start, or set DATA_DIR to its folder.\n`,
  );
  process.exit(exitCode.failed);
}
if (typeof answer['url'] !== 'string') {
  process.stderr.write(`Millrace gave no link: ${String(answer['error'])}\n`);
  process.exit(exitCode.failed);
}
process.stdout.write(`${answer['url']}\n`);
