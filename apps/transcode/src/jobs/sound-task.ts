/**
 * Encodes a part of the sound of a composition ahead of the join, side by side with the others: each span of it is kept in the job's
 * folder as soon as it is made, where the join finds it.
 */
import { ok } from '@millrace/result';
import { packetSamples, planSound, spansOf } from '../core/sound-plan.ts';
import type { TaskExecutor } from '../core/task-executor.ts';
import type { EncoderSettings } from './encoder-settings.ts';
import type { JoinFiles } from './join-files.ts';
import { KeptParts } from './kept-parts.ts';
import { makeSpan, soundSourcesOf } from './sound-span.ts';

/** How much of the task it is to read the inputs, where nobody has yet. */
const readShare = 0.1;

/** Executor of kind `sound`. */
export function createSoundTask(settings: EncoderSettings, files: JoinFiles): TaskExecutor<'sound'> {
  return async (spec, context) => {
    const { inputs, transition, target, keep, part, parts } = spec;
    const opened = await files.openAll(spec, context, (done) => context.report(readShare * done));
    if (!opened.ok) return opened;
    const kept = await KeptParts.open(keep.work, context);
    const gainsDb = inputs.map((input) => input.gain_db);
    const job = { ...opened.value, transition, target, settings, gainsDb, kept, spanMs: keep.span_ms };
    const sources = soundSourcesOf(job);
    const plan = planSound(sources, transition, target);
    const all = plan === undefined ? [] : spansOf(plan, sources, keep.span_ms);
    const cut = (at: number) => Math.round((all.length * at) / parts);
    const own = all.slice(cut(part), cut(part + 1));
    for (const [i, span] of own.entries()) {
      const lengthMs = ((span.to - span.from) * packetSamples * 1_000) / target.sample_rate;
      const made = await makeSpan(span, job, context, (doneMs) => {
        const done = (i + Math.min(1, doneMs / lengthMs)) / own.length;
        context.report(readShare + (1 - readShare) * done, 'evening the sound');
      });
      if (!made.ok) return made;
    }
    return ok({ kind: 'sound', spans: own.length });
  };
}
