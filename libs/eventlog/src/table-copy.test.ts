import { defineTopic, keepForever } from '@millrace/events';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { openMemoryEventLog } from './memory-event-log.ts';
import { MemoryStore } from './memory-store.ts';
import { record, tombstone } from './new-record.ts';

const schema = z.object({ key: z.string(), n: z.int() });
const topic = defineTopic<z.infer<typeof schema>>({
  ...{
    name: 'fold.v1',
    kind: 'state',
    schema,
    key: (value) => value.key,
    retentionMs: keepForever,
    partitions: 3,
    doc: 'test',
  },
});

it('a table is the last value of each key, whether it watched the changes, came later or came after compaction', async () => {
  const change = fc.record({
    key: fc.constantFrom('a', 'b', 'c', 'd'),
    n: fc.option(fc.integer(), { nil: undefined }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 30 }), async (changes) => {
      const store = new MemoryStore();
      await using log = openMemoryEventLog({ store });
      const watching = log.table(topic);
      await watching.ready;
      const expected = new Map<string, unknown>();
      for (const { key, n } of changes) {
        if (n === undefined) expected.delete(key);
        else expected.set(key, { key, n });
        await log.publish([n === undefined ? tombstone(topic, key) : record(topic, { key, n })]);
      }
      const late = log.table(topic);
      await late.ready;
      store.retain(topic, Date.now());
      const compacted = log.table(topic);
      await compacted.ready;
      for (const table of [watching, late, compacted]) expect(new Map(table.entries())).toEqual(expected);
    }),
    { numRuns: 50 },
  );
});
