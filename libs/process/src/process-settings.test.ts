import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

/** What a process with these settings prints, and its exit code. */
function readWith(env: Readonly<Record<string, string>>): { readonly status: number | null; readonly said: string } {
  const index = new URL('./process-settings.ts', import.meta.url).href;
  const script = `import { processSettings, processSettingsOrExit } from ${JSON.stringify(index)};
process.stdout.write(JSON.stringify(processSettingsOrExit(processSettings, process.env)));`;
  const args = ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', script];
  const done = spawnSync(process.execPath, args, {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    encoding: 'utf8',
  });
  return { status: done.status, said: done.stderr + done.stdout };
}

const token = { MILLRACE_SERVICE_TOKEN: 'a-token-between-services' };

describe('the settings of a process', () => {
  it('need a place for the event log: brokers or a database', () => {
    const { status, said } = readWith(token);
    expect(status).toBe(64);
    expect(said).toContain('KAFKA_BROKERS: expected Kafka brokers');
    expect(said).toContain('DATABASE_URL');
    expect(readWith({ ...token, KAFKA_BROKERS: 'kafka:9092' }).status).toBe(0);
    expect(readWith({ ...token, DATABASE_URL: 'postgres://db/x' }).status).toBe(0);
  });

  it('list every mistake without showing a secret', () => {
    const { status, said } = readWith({ MILLRACE_SERVICE_TOKEN: 'too short', INTERNAL_HTTP_PORT: 'x' });
    expect(status).toBe(64);
    expect(said).toMatch(/INTERNAL_HTTP_PORT: expected .*MILLRACE_SERVICE_TOKEN: expected/s);
    expect(said).not.toContain('too short');
  });
});
