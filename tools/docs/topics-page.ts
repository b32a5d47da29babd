import { allTopics, dayMs, hourMs } from '@millrace/events';
import { heading, table } from './markdown.ts';

const kinds = {
  facts: 'facts',
  state: 'state (compacted)',
  samples: 'samples (may be dropped)',
} as const;

/** docs/generated/topics.md: every topic of the event log, from the catalogue in libs/events. */
export function topicsPage(): Promise<string> {
  const rows = allTopics.map((topic) => [
    `\`${topic.name}\``,
    kinds[topic.kind],
    retention(topic.retentionMs),
    String(topic.partitions),
    topic.doc,
  ]);
  const intro =
    'What the services tell each other, in the past tense and in order per key. Schemas are in `libs/events`; they only ever grow.';
  const body = table(['topic', 'kind', 'kept', 'partitions', 'what it carries'], rows);
  return Promise.resolve(`${heading('Topics', '`libs/events`', intro)}${body}`);
}

function retention(ms: number): string {
  if (!Number.isFinite(ms)) return 'for ever';
  return ms % dayMs === 0 ? `${ms / dayMs} d` : ms % hourMs === 0 ? `${ms / hourMs} h` : `${ms / 1000} s`;
}
