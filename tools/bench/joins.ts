/** Prints how fast two videos are joined. Run: `npx tsx tools/bench/joins.ts [seconds of each]`. */
import { measureJoins } from './jobs/joins.ts';

for (const { name, timesReal, timesPerCore, largestStep } of await measureJoins(Number(process.argv[2] ?? 120))) {
  const step = `largest step of progress ${(100 * largestStep).toFixed(0)} %`;
  console.log(`${name}: ${timesReal.toFixed(0)}x real time, ${timesPerCore.toFixed(0)}x per core; ${step}`);
}
