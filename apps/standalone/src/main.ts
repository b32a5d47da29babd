/** `npm start`: everything in one process, until Ctrl-C. */
import { runUntilSignal } from '@millrace/lifecycle';
import { openLogger } from '@millrace/log';
import { readStandaloneSettings } from './config.ts';
import { openStandalone, type Standalone } from './service.ts';

const settings = readStandaloneSettings();
const pretty = settings.LOG_FORMAT === 'text' || (settings.LOG_FORMAT === 'auto' && process.stderr.isTTY);
const logger = (service: string) => openLogger({ service, level: settings.LOG_LEVEL, pretty });
const log = logger('standalone');
let running: Standalone | undefined;

const code = await runUntilSignal(async () => (running = await openStandalone(settings, logger)), {
  drainDeadlineMs: settings.DRAIN_DEADLINE_S * 1000,
  onPhase(phase, detail) {
    if (phase === 'failed') {
      const message = detail instanceof Error ? detail.message : String(detail);
      log.error('start-failed', { error: detail });
      process.stderr.write(`\nMillrace could not start: ${message}\n`);
    } else log.info(phase, typeof detail === 'string' ? { detail } : {});
    if (phase === 'started' && running) announce(running);
  },
});
process.exit(code);

function announce(standalone: Standalone): void {
  const { publicUrl, rtmpUrl, rtmpsPort, firstAdminLink } = standalone;
  if (settings.MILLRACE_READY_JSON) {
    const ports = { http_port: standalone.httpPort, rtmp_port: standalone.rtmpPort, rtmps_port: rtmpsPort };
    const line = { event: 'ready', ...ports, public_url: publicUrl, rtmp_url: rtmpUrl, admin_link: firstAdminLink };
    process.stdout.write(`${JSON.stringify(line)}\n`);
    return;
  }
  const signIn = firstAdminLink
    ? `  Sign in      ${firstAdminLink}\n               (works once, for one hour; \`npm run admin-link\` makes another)`
    : `  Studio       ${publicUrl}   (\`npm run admin-link\` prints a new sign-in link)`;
  process.stdout.write(
    `\nMillrace is running.\n\n${signIn}\n  Publish to   ${rtmpUrl}\n  API          ${publicUrl}/docs\n  Stop         Ctrl-C\n\n`,
  );
}
