import { ManualClock } from '@millrace/clock/testing';
import { createLocalSourceDesk } from './local-source-desk.ts';
import { eventually } from './testing/eventually.ts';
import { defineSourceDeskContract } from './testing/source-desk-contract.ts';

defineSourceDeskContract('by reference', async () => {
  const clock = new ManualClock();
  return {
    ...createLocalSourceDesk({ clock, random: () => 0.5 }),
    advance: (ms) => clock.advance(ms),
    until: eventually,
    async [Symbol.asyncDispose]() {},
  };
});
