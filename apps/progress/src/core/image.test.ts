import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  type FoldedImage,
  type ImageRecord,
  newImage,
  runIsActive,
  type StatusChange,
  videoAsked,
  videoCancelled,
  videoDeleted,
  videoFailed,
  videoMade,
  videoStarted,
} from './image.ts';

const happening = fc.record({
  kind: fc.constantFrom('asked', 'started', 'made', 'failed', 'cancelled', 'deleted'),
  /** Of this run or, late, of the one before. */
  late: fc.boolean(),
});
const failure = { reason: 'too dark', progress: 40 };

it('in any interleaving the status is the fold of its history, and has_video says whether a completed video is there', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 40 }), (happenings) => {
      let image: ImageRecord = newImage(
        { imgName: 'a', ownerId: 'own', sourceType: 'upload', prompt: undefined, parameters: {} },
        0,
      );
      const history: StatusChange[] = [];
      let runs = 0;
      let settled: string = 'none';
      for (const [at, { kind, late }] of happenings.entries()) {
        const taskId = `job_${late ? runs - 1 : runs}`;
        const was = image;
        const folded = ((): FoldedImage => {
          switch (kind) {
            case 'asked':
              // the desk ends one that only waits before it lets another in
              if (image.status === 'pending') {
                const ended = videoCancelled(image, `job_${runs}`, at);
                image = ended.image;
                history.push(...ended.changes);
              }
              runs++;
              return videoAsked(image, { taskId: `job_${runs}`, parameters: {}, accessSha256: undefined }, at);
            case 'started':
              return videoStarted(image, taskId, at);
            case 'made':
              return videoMade(image, taskId, { videoId: 'vid', playbackId: 'play', key: 'k' }, at);
            case 'failed':
              return videoFailed(image, taskId, failure, at);
            case 'cancelled':
              return videoCancelled(image, taskId, at);
            default:
              return videoDeleted(image, at);
          }
        })();
        image = folded.image;
        history.push(...folded.changes);
        if (kind === 'cancelled' && runIsActive(was) && !runIsActive(image)) expect(image.status).toBe(settled);
        if (!runIsActive(image)) settled = image.status;
        if (kind === 'deleted' && settled === 'completed') settled = 'none';
        expect(image.status).toBe(history.at(-1)?.to ?? 'none');
        expect(image.changes).toBe(history.length);
        expect(image.before === undefined).toBe(!runIsActive(image));
        if (image.status === 'completed') expect(image.video).toBeDefined();
        if (image.status === 'none') expect(image.video).toBeUndefined();
      }
      for (const [i, change] of history.entries()) {
        expect(change).toMatchObject({ change: i + 1, from: history[i - 1]?.to ?? 'none' });
        expect(change.to).not.toBe(change.from);
      }
      const made = history.filter(({ to }) => to === 'completed').length;
      if (made === 0) expect(image.video).toBeUndefined();
    }),
  );
});
