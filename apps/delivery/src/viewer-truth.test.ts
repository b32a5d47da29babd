/**
 * Scripted viewers on a real listener: they come, stay, leave, die without a word, and some only look at the multivariant
 * playlist. What delivery says is compared with what is true, at every second.
 */
import { type AudienceCount, audienceTopic } from '@millrace/events';
import { describe, expect, it } from 'vitest';
import { openDeliveryKit } from '../test/delivery-kit.ts';
import { Player } from '../test/player.ts';
import { SyntheticBroadcast } from '../test/synthetic-broadcast.ts';

interface ScriptedViewer {
  readonly url: string;
  readonly everyS: number;
  readonly untilS: number;
  /** Says that he quits; others die. */
  readonly polite: boolean;
  /** He has asked for a media playlist: he is a viewer. */
  hasBegun: boolean;
}

const lastS = 24;
/** The shortest silence that ends a session, and what of a second the sweep and the statement take. */
const silenceS = 6;

describe('the count of viewers', () => {
  it('is within 1 % of the truth while viewers come, leave and die', async () => {
    await using kit = await openDeliveryKit();
    const { streamId, playbackId } = await kit.define();
    const broadcast = new SyntheticBroadcast(kit.service.writer, { streamId });
    await broadcast.start();
    await broadcast.parts(12);
    const said: AudienceCount[] = [];
    await kit.eventLog.follow({
      topic: audienceTopic,
      from: 'latest',
      onRecord: ({ value }) => value && said.push(value),
    });
    const viewers: ScriptedViewer[] = [];
    let worst = 0;
    for (let s = 0; s < lastS; s++) {
      const arrivals = s < 14 ? 6 : 2;
      await Promise.all(
        Array.from({ length: arrivals }, async (_, i) => {
          const { video = '' } = await new Player(kit.origin, playbackId).renditions();
          const n = viewers.length + i;
          viewers.push({
            url: video,
            everyS: 1 + (n % 3),
            untilS: s + 5 + ((n * 7) % 24),
            polite: n % 2 === 0,
            hasBegun: false,
          });
        }),
      );
      await new Player(kit.origin, playbackId).renditions(); // a link preview
      await Promise.all(
        viewers.map(async (viewer) => {
          const { url, everyS, untilS, polite } = viewer;
          if (s > untilS || (s !== untilS && (untilS - s) % everyS !== 0)) return;
          if (s < untilS || !polite) {
            await (await fetch(url)).arrayBuffer();
            viewer.hasBegun = true;
            return;
          }
          await fetch(url.replace(/\/video\/.*$/, '/cmcd'), {
            ...{ method: 'POST', body: 'e=ps,sta=q,v=2', headers: { 'content-type': 'application/cmcd' } },
          });
        }),
      );
      await kit.clock.advance(1_000);
      const counted = said.at(-1)?.viewers ?? 0;
      // Who is there is counted; who died without a word is missed after the silence.
      const least = viewers.filter(({ untilS, hasBegun }) => hasBegun && untilS > s).length;
      const dying = viewers.filter(({ untilS, polite }) => !polite && untilS <= s && s - untilS <= silenceS).length;
      const most = least + dying;
      worst = Math.max(worst, (least - counted) / Math.max(1, least), (counted - most) / Math.max(1, most));
    }
    expect(worst).toBeLessThanOrEqual(0.01);
    const now = said.at(-1)?.viewers ?? 0;
    expect(now).toBeGreaterThan(20);
    await kit.clock.advance(20_000);
    expect(said.at(-1)?.viewers).toBe(0);
    expect(await kit.metric('millrace_delivery_audience_viewers')).toBe(0);
  }, 30_000);
});
