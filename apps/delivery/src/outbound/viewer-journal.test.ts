import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@millrace/log';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openViewerJournal, type ViewerJoined } from './viewer-journal.ts';

const joined = (id: string, atMs: number): ViewerJoined => ({
  ...{ type: 'ViewerJoined', session_id: id, stream_id: 'str_1', playback_id: 'play_1', owner_id: 'own_1' },
  ...{ instance_id: 'edge-1', at_ms: atMs, joined_at_ms: atMs, viewer_hash: 'h', device: 'desktop', player: 'vlc' },
  resumed: false,
});

describe('the journal of counted viewers', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'viewers-'));
  });
  afterEach(() => rm(dir, { recursive: true }));
  const open = (slackLines?: number) =>
    openViewerJournal({
      ...{ dir, log: silentLogger, ...(slackLines === undefined ? {} : { slackLines }) },
      onFailure: () => {
        throw new Error('not written');
      },
    });

  it('gives who was counted at a crash an end at the last sign of life of the instance', async () => {
    const { journal } = await open();
    journal.joined(joined('ses_1', 1_000));
    journal.joined(joined('ses_2', 2_000));
    const entry = journal.of('ses_2');
    if (entry !== undefined) journal.left(entry);
    journal.alive(9_000);
    // No closing: it is killed, amid a line.
    await appendFile(join(dir, 'open-sessions.jsonl'), '{"type":"ViewerJ');
    const again = await open();
    expect([...again.open.values()]).toEqual([
      expect.objectContaining({
        ...{ type: 'ViewerLeft', session_id: 'ses_1', reason: 'evicted', at_ms: 9_000, counted_ms: 8_000 },
      }),
    ]);
    // Its end is said: the next start has nothing to say.
    for (const each of again.open.keys()) again.journal.left(each);
    expect((await open()).open.size).toBe(0);
  });

  it('keeps who began anew when the end of what was before is written', async () => {
    const { journal } = await open();
    journal.joined(joined('ses_1', 1_000));
    const before = journal.of('ses_1');
    journal.joined(joined('ses_1', 5_000));
    if (before !== undefined) journal.left(before);
    expect([...(await open()).open.values()].map(({ at_ms }) => at_ms)).toEqual([5_000]);
  });

  it('holds exactly who is open after any history, in a file bounded by who is open', async () => {
    const step = fc.record({ id: fc.integer({ min: 0, max: 5 }), leaves: fc.boolean(), dies: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        await rm(dir, { recursive: true });
        const truth = new Set<string>();
        let { journal } = await open(4);
        for (const [at, { id, leaves, dies }] of steps.entries()) {
          const name = `ses_${id}`;
          const entry = journal.of(name);
          if (!leaves) journal.joined(joined(name, at));
          else if (entry !== undefined) journal.left(entry);
          if (leaves) truth.delete(name);
          else truth.add(name);
          journal.alive(at);
          if (!dies) continue;
          const again = await open(4);
          expect([...again.open.values()].map(({ session_id }) => session_id).sort()).toEqual([...truth].sort());
          journal[Symbol.dispose]();
          journal = again.journal;
        }
        const lines = (await readFile(join(dir, 'open-sessions.jsonl'), 'utf8')).split('\n').length - 1;
        expect(lines).toBeLessThanOrEqual(2 * 6 + 4 + 1);
        journal[Symbol.dispose]();
      }),
      { numRuns: 40 },
    );
  });
});
