import { createTokenVerifier } from '@millrace/auth';
import { systemClock } from '@millrace/clock';
import { record, tombstone } from '@millrace/eventlog';
import { revokedTokensTopic, signingKeysTopic, videosTopic } from '@millrace/events';
import { newId } from '@millrace/ids';
import { expectOk } from '@millrace/result';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestControl, type TestControl } from '../testing.ts';

let control: TestControl;
let admin: string;
beforeAll(async () => {
  control = await openTestControl();
  admin = await control.signIn();
});
afterAll(async () => control[Symbol.asyncDispose]());

interface Token {
  readonly token: string;
  readonly hls_url: string;
  readonly dash_url: string;
}

async function publishVideo(owner_id: string) {
  const video = {
    ...{
      video_id: newId('vid'),
      playback_id: newId('play'),
      owner_id,
      title: 'A video',
      visibility: 'private' as const,
    },
    ...{ status: 'completed' as const, asset: null, complete: false, duration_ms: null, file: null, updated_at_ms: 1 },
  };
  await control.eventLog.publish([record(videosTopic, video)]);
  return video;
}
const mint = (id: string, token: string) =>
  control.call<Token>('POST', `/api/v1/videos/${id}/playback-tokens`, { token, body: { expires_in_s: 60 } });
/** The topic reaches control a moment after it was written. */
async function untilStatus(id: string, token: string, status: number) {
  for (;;) {
    const answer = await mint(id, token);
    if (answer.status === status) return answer;
  }
}

it('mints a token for a video of the caller, whose URLs carry it and which plays that video alone', async () => {
  const { token: own, ownerId } = await control.tokenOf('broadcaster', admin);
  const video = await publishVideo(ownerId);
  const { body } = await untilStatus(video.video_id, own, 201);
  expect(body).toMatchObject({
    hls_url: `http://stream.example:8080/vod/${video.playback_id}/${body.token}/index.m3u8`,
    dash_url: `http://stream.example:8080/vod/${video.playback_id}/${body.token}/index.mpd`,
  });
  await using signingKeys = control.eventLog.table(signingKeysTopic);
  await using revoked = control.eventLog.table(revokedTokensTopic);
  await Promise.all([signingKeys.ready, revoked.ready]);
  const verifier = createTokenVerifier({ signingKeys, revoked, clock: systemClock });
  const claims = expectOk(await verifier.verifyPlaybackToken(body.token, video.playback_id), 'the token is good');
  expect(claims.playbackId).toBe(video.playback_id);
  expect((await verifier.verifyPlaybackToken(body.token, newId('play'))).ok).toBe(false);
});

it('mints none for a video of another owner, nor for one that was deleted', async () => {
  const { token: own, ownerId } = await control.tokenOf('broadcaster', admin);
  const { token: other } = await control.tokenOf('broadcaster', admin);
  const video = await publishVideo(ownerId);
  await untilStatus(video.video_id, own, 201);
  expect((await mint(video.video_id, other)).status).toBe(404);
  expect((await mint(video.video_id, admin)).status).toBe(201);
  await control.eventLog.publish([tombstone(videosTopic, video.video_id)]);
  await untilStatus(video.video_id, own, 404);
});
