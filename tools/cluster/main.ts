/** `npm run cluster`: every service as its own process, until Ctrl-C. */
import { defineSettings, setting, settingsOrExit } from '@millrace/config';
import { eventLogSettings } from '@millrace/eventlog';
import { exitCode, runUntilSignal } from '@millrace/lifecycle';
import { openLogger } from '@millrace/log';
import { ensurePrograms } from '../setup/programs.mjs';
import { ensureStudio } from '../setup/studio.mjs';
import { type ClusterProcesses, startClusterProcesses } from './cluster.ts';
import { HealthDisplay } from './health-display.ts';
import { serviceSettings } from './process-plan.ts';

const settings = settingsOrExit(
  defineSettings({
    ...eventLogSettings,
    HTTP_PORT: setting.port({ doc: 'Port of the front.', fallback: '8080' }),
    RTMP_PORT: setting.port({ doc: 'RTMP port.', fallback: '1935' }),
    PUBLIC_URL: setting.optionalUrl({ doc: 'Origin that the world uses; unset: http://localhost and HTTP_PORT.' }),
    DATA_DIR: setting.text({ doc: 'Folder of everything that is kept.', fallback: './data/cluster' }),
    DATABASE_URL: setting.optionalText({ doc: 'PostgreSQL to use instead of the embedded one.', secret: true }),
    CLICKHOUSE_URL: setting.optionalText({ doc: 'ClickHouse to use instead of the embedded engine.', secret: true }),
    CLUSTER_FIRST_PORT: setting.integer({
      doc: 'The services listen on 127.0.0.1 at this port and the next ones.',
      fallback: '18100',
      min: 1_024,
      max: 65_000,
    }),
    CLUSTER_KAFKA_PORT: setting.port({ doc: 'Port of the embedded Kafka.', fallback: '19092' }),
    LOG_LEVEL: setting.oneOf({
      doc: 'Least level that is logged.',
      fallback: 'info',
      values: ['debug', 'info', 'warn', 'error'],
    }),
  }),
  process.env,
  exitCode.badConfig,
);
const log = openLogger({ service: 'cluster', level: 'warn', pretty: process.stderr.isTTY });
const display = new HealthDisplay(process.stdout);

const code = await runUntilSignal(
  async () => {
    // Debian keeps nginx outside of an ordinary user's PATH.
    process.env['PATH'] = `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin`;
    await ensurePrograms(['nginx']);
    await ensureStudio();
    process.stdout.write('Starting PostgreSQL, Kafka and the services...\n');
    const cluster = await startClusterProcesses({
      dataDir: settings.DATA_DIR,
      log,
      frontPort: settings.HTTP_PORT,
      rtmpPort: settings.RTMP_PORT,
      firstPort: settings.CLUSTER_FIRST_PORT,
      kafkaPort: settings.CLUSTER_KAFKA_PORT,
      kafkaBrokers: settings.KAFKA_BROKERS,
      ...(settings.PUBLIC_URL === undefined ? {} : { publicUrl: settings.PUBLIC_URL }),
      ...(settings.DATABASE_URL === undefined ? {} : { databaseUrl: settings.DATABASE_URL }),
      ...(settings.CLICKHOUSE_URL === undefined ? {} : { clickhouseUrl: settings.CLICKHOUSE_URL }),
      settings: { ...serviceSettings(process.env), LOG_LEVEL: settings.LOG_LEVEL },
      observer: display,
    });
    announce(cluster);
    const shown = display.follow(cluster);
    return {
      async [Symbol.asyncDispose]() {
        await shown[Symbol.asyncDispose]();
        process.stdout.write('Stopping...\n');
        await cluster[Symbol.asyncDispose]();
      },
    };
  },
  {
    drainDeadlineMs: 90_000,
    onPhase(phase, detail) {
      if (phase !== 'failed') return;
      process.stderr.write(
        `\nThe cluster could not start: ${detail instanceof Error ? detail.message : String(detail)}\n`,
      );
    },
  },
);
process.exit(code);

function announce({ adminLink, publicUrl, rtmpPort }: ClusterProcesses): void {
  const rtmp = `rtmp://${new URL(publicUrl).hostname}${rtmpPort === 1935 ? '' : `:${rtmpPort}`}/live`;
  process.stdout.write(
    `\nMillrace is running.\n\n  Sign in      ${adminLink}\n               (works once, for one hour)\n` +
      `  Publish to   ${rtmp}\n  API          ${publicUrl}/docs\n  Logs         ${settings.DATA_DIR}/logs\n  Stop         Ctrl-C\n`,
  );
}
