import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { readDotEnv } from './dot-env.ts';
import { Secret } from './secret.ts';
import { defineSettings, describeSettings, loadSettings, setting } from './settings.ts';

const table = defineSettings({
  RTMP_PORT: setting.port({ doc: 'Port that encoders publish to.', fallback: '1935' }),
  DATABASE_URL: setting.url({ doc: 'PostgreSQL to keep state in.' }),
  LOG_LEVEL: setting.oneOf({ doc: 'Least level that is logged.', fallback: 'info', values: ['debug', 'info'] }),
  PRETTY: setting.flag({ doc: 'Human-readable logs.', fallback: 'false' }),
  INGESTS: setting.list({ doc: 'Ingest base URLs.', fallback: '' }),
  CERT: setting.optionalText({ doc: 'Certificate file.' }),
});

describe('settings', () => {
  it('take defaults, parse text and keep optional ones unset', () => {
    const loaded = loadSettings(table, {
      DATABASE_URL: 'postgres://localhost/x',
      INGESTS: 'a, b',
      PRETTY: '1',
      RTMP_PORT: '',
    });
    expect(loaded).toEqual({
      ok: true,
      value: {
        RTMP_PORT: 1935,
        DATABASE_URL: 'postgres://localhost/x',
        LOG_LEVEL: 'info',
        PRETTY: true,
        INGESTS: ['a', 'b'],
        CERT: undefined,
      },
    });
  });

  it('report every mistake at once, with what was expected and what came', () => {
    const loaded = loadSettings(table, { RTMP_PORT: 'abc', LOG_LEVEL: 'loud' });
    expect(loaded.ok ? [] : loaded.error.map((m) => m.variable)).toEqual(['RTMP_PORT', 'DATABASE_URL', 'LOG_LEVEL']);
    expect(loaded.ok ? '' : loaded.error[0]).toEqual({
      variable: 'RTMP_PORT',
      expected: 'a port number',
      got: '"abc"',
    });
  });

  it('describe themselves for the docs', () => {
    expect(describeSettings(table).slice(0, 2)).toEqual([
      { variable: 'RTMP_PORT', fallback: '1935', doc: 'Port that encoders publish to.' },
      { variable: 'DATABASE_URL', fallback: 'required', doc: 'PostgreSQL to keep state in.' },
    ]);
  });
});

describe('a secret', () => {
  it('is redacted however it is printed, and revealed only on request', () => {
    const secret = new Secret('hunter2');
    expect([`${secret}`, JSON.stringify({ secret }), inspect({ secret })].join()).not.toContain('hunter2');
    expect(secret.reveal()).toBe('hunter2');
  });

  it('in a table may be absent, and says of a mistake what was expected and never what came', () => {
    const keys = defineSettings({
      SEAL: setting.optionalSecret({ doc: 'Seals.', shortest: 8 }),
      KEYS: setting.optionalSecret({ doc: 'Keys.', pattern: { regex: /^\w+=\w+$/, expected: 'name=key' } }),
    });
    expect(loadSettings(keys, {})).toEqual({ ok: true, value: { SEAL: undefined, KEYS: undefined } });
    const loaded = loadSettings(keys, { SEAL: 'long enough', KEYS: 'a=b' });
    expect(loaded.ok && [loaded.value.SEAL?.reveal(), loaded.value.KEYS?.reveal()]).toEqual(['long enough', 'a=b']);
    expect(loadSettings(keys, { SEAL: 'short', KEYS: 'a' })).toEqual({
      ok: false,
      error: [
        { variable: 'SEAL', expected: '8 characters or more', got: '[redacted]' },
        { variable: 'KEYS', expected: 'name=key', got: '[redacted]' },
      ],
    });
  });
});

describe('a .env file', () => {
  it('is read when it is there, and empty when not', () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-env-'));
    writeFileSync(join(folder, '.env'), '# comment\nA=1\nB="two words"\n');
    expect(readDotEnv(join(folder, '.env'))).toEqual({ A: '1', B: 'two words' });
    expect(readDotEnv(join(folder, 'missing'))).toEqual({});
  });
});
