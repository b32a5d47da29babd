import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseUploadTarget } from './upload.ts';

describe('the metadata of an upload', () => {
  it('names a video, or gives a new one its title, else its file name', () => {
    const id = `vid_${'0'.repeat(26)}`;
    expect(parseUploadTarget({ video_id: id, title: 'x' })).toEqual({
      ok: true,
      value: { kind: 'video', videoId: id },
    });
    const made = { kind: 'new', language: undefined, visibility: 'public', process: true };
    expect(parseUploadTarget({ filename: 'a.mp4' })).toEqual({ ok: true, value: { ...made, title: 'a.mp4' } });
    const given = { title: 'b', filename: 'a.mp4', language: 'en-GB', visibility: 'private', process: 'false' };
    expect(parseUploadTarget(given)).toEqual({
      ...{ ok: true, value: { kind: 'new', title: 'b', language: 'en-GB', visibility: 'private', process: false } },
    });
  });

  it('that is anything else is refused by name, and never gives a title that cannot be shown', () => {
    for (const bad of [{}, { title: '' }, { title: null }, { title: 'x', process: 'maybe' }, { video_id: 'x' }]) {
      expect(parseUploadTarget(bad).ok, JSON.stringify(bad)).toBe(false);
    }
    const metadata = fc.dictionary(fc.constantFrom('title', 'filename', 'language', 'visibility'), fc.string());
    fc.assert(
      fc.property(metadata, (given) => {
        const target = parseUploadTarget(given);
        if (!target.ok) expect(target.error.message).not.toBe('');
        else if (target.value.kind === 'new') expect(target.value.title).toMatch(/^[^\u0000-\u001f\u007f]{1,200}$/u);
      }),
    );
  });
});
