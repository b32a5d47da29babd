/** `npx tsx tools/interop/hub-clients-main.ts`: other people's clients against the hub. */
import { tryHubClients } from './hub-clients.ts';

const outcomes = await tryHubClients();
for (const { name, ok, detail } of outcomes) process.stdout.write(`${ok ? 'passed' : 'FAILED'} ${name}: ${detail}\n`);
process.exitCode = outcomes.every(({ ok }) => ok) ? 0 : 1;
