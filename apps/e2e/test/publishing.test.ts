import { afterAll, beforeAll, describe } from 'vitest';
import { broadcasterCases, reconnectWindowMs } from '../src/broadcaster-cases.ts';
import type { RestClient } from '../src/rest-client.ts';
import { startTarget, type Target } from '../src/target.ts';

describe('a broadcaster', () => {
  let server: Target;
  let api: RestClient;
  beforeAll(async () => {
    server = await startTarget({ settings: { INGEST_RECONNECT_WINDOW_MS: String(reconnectWindowMs) } });
    api = await server.signIn();
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  broadcasterCases(
    () => server,
    () => api,
  );
});
