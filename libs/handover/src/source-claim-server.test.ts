import { ManualClock } from '@millrace/clock/testing';
import { silentLogger } from '@millrace/log';
import { openSourceClaimServer } from './source-claim-server.ts';
import { openSourceDeskClient } from './source-desk-client.ts';
import { eventually } from './testing/eventually.ts';
import { openHttpFront } from './testing/http-front.ts';
import { defineSourceDeskContract } from './testing/source-desk-contract.ts';

const serviceToken = 'a-service-token-for-tests';

defineSourceDeskContract('over HTTP', async () => {
  const clock = new ManualClock();
  const workers = openSourceClaimServer({ serviceToken, clock, log: silentLogger });
  const front = await openHttpFront(workers.mount);
  const desk = openSourceDeskClient({
    baseUrl: front.baseUrl,
    serviceToken,
    clock,
    log: silentLogger,
    random: () => 0.5,
  });
  return {
    desk,
    workers,
    async advance(ms) {
      for (let left = ms; left > 0; left -= 100) {
        await clock.advance(Math.min(left, 100));
        await new Promise((resolve) => setTimeout(resolve, 3));
      }
    },
    until: eventually,
    async [Symbol.asyncDispose]() {
      await desk[Symbol.asyncDispose]();
      await workers[Symbol.asyncDispose]();
      await front[Symbol.asyncDispose]();
    },
  };
});
