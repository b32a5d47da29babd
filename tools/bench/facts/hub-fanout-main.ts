/** `npx tsx tools/bench/facts/hub-fanout-main.ts [--quick]`: the fan-out bench alone. */
import { table } from '../../docs/markdown.ts';
import { fanOutRows, runHubFanout } from './hub-fanout.ts';

const figures = await runHubFanout({ quick: process.argv.includes('--quick') });
process.stdout.write(table(['hub fan-out', 'hub', 'plain ws loop', 'ratio'], fanOutRows(figures)));
