import { describe, expect, it } from 'vitest';
import { publishWithFfmpeg } from './ffmpeg.ts';
import { eventually, openIngest, type TestIngest } from './harness.ts';

const urlOf = (ingest: TestIngest, key: string) => `rtmp://127.0.0.1:${ingest.service.rtmpPort}/live/${key}`;
const types = (ingest: TestIngest) => ingest.facts.map((fact) => fact.type);

describe('a publish by real ffmpeg', () => {
  it('reaches a worker as sequence headers, then frames from a keyframe on, and ends when the encoder stops', async () => {
    await using ingest = await openIngest();
    const { streamId, key } = await ingest.addStream();
    await using encoder = publishWithFfmpeg(urlOf(ingest, key), { seconds: 3 });
    expect(await encoder.exited, encoder.output()).toBe(0);
    await eventually(() => types(ingest).includes('StreamEnded'), 'StreamEnded');
    expect(types(ingest)).toEqual(['StreamPublished', 'StreamEnded']);
    expect(ingest.facts[1]).toMatchObject({ reason: 'encoder-stopped', stream_id: streamId });
    const source = ingest.sources[0]!;
    expect(source.assignment.streamId).toBe(streamId);
    const kinds = source.seen.map((item) => (typeof item === 'string' ? item : item.kind));
    expect(kinds.slice(0, 3).sort()).toEqual(['audio-config', 'data', 'video-config']);
    expect(kinds.filter((kind) => kind === 'video-frame')).toHaveLength(75);
    expect(kinds.at(-1)).toBe('ended');
    expect(ingest.logged.join('\n')).not.toContain(key);
  });
});
