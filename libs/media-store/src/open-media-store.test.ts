import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { systemClock } from '@millrace/clock';
import { loadSettings } from '@millrace/config';
import { silentLogger } from '@millrace/log';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { mediaStoreSettings } from './media-settings.ts';
import { openMediaStore } from './open-media-store.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-open-store-'));
});
afterAll(() => rm(folder, { recursive: true }));

function open(env: Readonly<Record<string, string>>) {
  const loaded = loadSettings(mediaStoreSettings, env);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
  const settings = { ...loaded.value, DATA_DIR: join(folder, 'data') };
  return openMediaStore({ settings, clock: systemClock, log: silentLogger });
}

it.each([
  ['nothing', () => ({}), ['data', 'media']],
  ['MEDIA_DIR', () => ({ MEDIA_DIR: join(folder, 'own') }), ['own']],
  [
    'a file URL',
    () => ({ MEDIA_STORE_URL: pathToFileURL(join(folder, 'by url')).href, MEDIA_DIR: '/none' }),
    ['by url'],
  ],
] as const)('%s chooses a folder', async (_, env, place) => {
  await using store = await open(env());
  expect(await store.put('a/b', [Buffer.from('film')])).toMatchObject({ ok: true });
  expect(await readFile(join(folder, ...place, 'a', 'b'), 'utf8')).toBe('film');
});

const bucket = { MEDIA_STORE_URL: 's3://films' };
it.each([
  [{ MEDIA_STORE_URL: '/var/media' }, /MEDIA_STORE_URL: expected s3:\/\/bucket\/prefix or file:\/\/\/folder/],
  [{ MEDIA_STORE_URL: 's3://Films' }, /MEDIA_STORE_URL: expected s3:\/\/bucket/],
  [{ ...bucket, MEDIA_S3_ACCESS_KEY_ID: 'id' }, /MEDIA_S3_ACCESS_KEY_ID and MEDIA_S3_SECRET_ACCESS_KEY together/],
  [{ ...bucket, MEDIA_S3_KMS_KEY_ID: 'key' }, /MEDIA_S3_ENCRYPTION=aws:kms/],
])('%j is refused with what was expected', async (env, text) => {
  await expect(open(env)).rejects.toThrow(text);
});

it('a secret is in no text of the settings', () => {
  const loaded = loadSettings(mediaStoreSettings, { MEDIA_S3_SECRET_ACCESS_KEY: 'correct-horse' });
  expect(JSON.stringify(loaded)).not.toContain('correct-horse');
});
