import { describe, expect, it } from 'vitest';
import { openLogger } from './logger.ts';

describe('a logger', () => {
  it('writes one JSON line an event, with the event name, level, service and fields', () => {
    const lines: string[] = [];
    const log = openLogger({ service: 'ingest', level: 'info', write: (line) => lines.push(line) });
    log.with({ stream_id: 'str_1' }).warn('publish-refused', { reason: 'unknown-key', error: new Error('x') });
    log.debug('hidden');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0]!)).toMatchObject({
      level: 'warn',
      service: 'ingest',
      event: 'publish-refused',
      stream_id: 'str_1',
      reason: 'unknown-key',
      error: { message: 'x' },
    });
  });

  it('prints one human line an event when asked', () => {
    const lines: string[] = [];
    openLogger({ service: 'hub', level: 'info', pretty: true, write: (line) => lines.push(line) }).info('started', {
      port: 1,
    });
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} info {2}hub: started port=1\n$/);
  });
});
