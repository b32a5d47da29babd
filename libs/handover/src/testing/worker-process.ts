/** A worker as a process of its own, for tests that kill it: parks one slot and prints one JSON line per thing it sees. */
import { systemClock } from '@millrace/clock';
import { silentLogger } from '@millrace/log';
import { openSourceDeskClient } from '../source-desk-client.ts';

const [baseUrl = '', serviceToken = '', workerId = ''] = process.argv.slice(2);
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

const desk = openSourceDeskClient({ baseUrl, serviceToken, clock: systemClock, log: silentLogger });
desk.park({
  workerId,
  slots: 1,
  accept(assignment, link) {
    let last: number | undefined;
    const beat = setInterval(() => link.heartbeat(last), 250);
    say({ accepted: assignment.epoch });
    return {
      tag(tag) {
        if (last === undefined) say({ first_tag: tag.timestampMs });
        last = tag.timestampMs;
        return true;
      },
      interrupted: () => say({ interrupted: true }),
      end(reason) {
        clearInterval(beat);
        say({ end: reason });
      },
    };
  },
});
