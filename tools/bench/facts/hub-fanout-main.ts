/**
 * `npx tsx tools/bench/facts/hub-fanout-main.ts [--quick]`: the fan-out bench alone. With a side and a number of sockets it measures
 * that side in this process and prints its figures as JSON.
 */
import { table } from '../../docs/markdown.ts';
import { fanOutRows, measureSide, runHubFanout } from './hub-fanout.ts';

const [side, count] = process.argv.slice(2);
if (side === 'hub' || side === 'plain') {
  process.stdout.write(JSON.stringify(await measureSide(side, Number(count))));
} else {
  const figures = await runHubFanout({ quick: process.argv.includes('--quick') });
  process.stdout.write(table(['hub fan-out', 'hub', 'plain ws loop', 'ratio'], fanOutRows(figures)));
}
