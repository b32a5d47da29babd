/**
 * `npm run test:interop`: publishes with other people's encoders and watches with other people's players, against a
 * standalone of our own, reads our Kafka topics and speaks to the hub with other people's clients, and writes docs/interop.md.
 * Missing programs are installed where that is allowed; what cannot be tried is a failure. Arguments name the encoders and players to try (part of the name); then nothing is written.
 */
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { untilPlayable } from '../bench/live/latency.ts';
import { table } from '../docs/markdown.ts';
import { startChild } from '../rig/child.ts';
import { type StandaloneServer, startStandalone } from '../rig/standalone-server.ts';
import { ensurePrograms, findOnPath, installDebian, mayInstall } from '../setup/programs.mjs';
import { inRepository } from '../setup/workspace.mjs';
import { type Encoder, encoders } from './encoders.ts';
import { hubClientNames, tryHubClients } from './hub-clients.ts';
import { type LogReader, logReaders, writeForReaders } from './log-readers.ts';
import { decodeWithFfmpeg, type Player, players, type Watched } from './players.ts';

const wanted = process.argv.slice(2).map((word) => word.toLowerCase());
const wants = (name: string) => wanted.length === 0 || wanted.some((word) => name.toLowerCase().includes(word));
const say = (line: string) => process.stderr.write(`[interop] ${line}\n`);

await installMissing();
await using server = await startStandalone({ LOG_LEVEL: 'warn' });
const encoderRows: string[][] = [];
const playerRows: string[][] = [];
const readerRows: string[][] = [];
const hubRows: string[][] = [];
let failures = 0;

for (const encoder of encoders.filter(({ name }) => wants(name))) {
  const outcome = await tryEncoder(server, encoder).catch((error: unknown) => ({
    ok: false,
    detail: firstLine(String(error)),
  }));
  encoderRows.push([encoder.name, await versionOf(encoder.version), encoder.sends, ...cells(outcome)]);
  tell(`${encoder.name} (${encoder.sends})`, outcome);
}
{
  const stream = await server.api.createStream('players');
  const source = encoders.find(({ sends }) => sends === 'x264 zerolatency, AAC');
  await using publisher = await source?.start(server.rtmpUrl, stream.key);
  await untilPlayable(stream.hlsUrl, () => publisher?.log() ?? '');
  await sleep(8_000);
  for (const player of players.filter(({ name }) => wants(name))) {
    const outcome = await player
      .watch(stream.hlsUrl)
      .catch((error: unknown) => ({ ok: false, detail: firstLine(String(error)) }));
    playerRows.push([player.name, await versionOf(player.version), ...cells(outcome)]);
    tell(player.name, outcome);
  }
}
const readers = logReaders.filter(({ name }) => wants(name));
if (readers.length > 0) {
  await ensurePrograms(['kcat']);
  await using written = await writeForReaders();
  for (const reader of readers) await tryReader(reader, written);
}

for (const outcome of await tryHubClients(hubClientNames.filter(wants))) {
  hubRows.push([outcome.name, ...cells(outcome)]);
  tell(outcome.name, outcome);
}

const page = `# Encoders and players tried

<!-- Written by \`npm run test:interop\`: run that, do not edit this page. -->

Tried on ${new Date().toISOString().slice(0, 10)} against standalone. An encoder passes when the stream goes live, ffmpeg decodes what
comes out without a warning, and the stream ends when the encoder does. A player passes when it decoded several seconds.

## Encoders

${table(['encoder', 'version', 'sends', 'result', 'detail'], encoderRows)}
## Players

${table(['player', 'version', 'result', 'detail'], playerRows)}
## Kafka clients

They read topics that our log wrote to Apache Kafka 4.3.0: keys, values, tombstones and the CloudEvents headers.

${table(['client', 'version', 'result', 'detail'], readerRows)}
## Clients of the hub

They subscribe, hear a snapshot and a change, break off, and are told what they missed.

${table(['client', 'result', 'detail'], hubRows)}
## Noticed

- shaka-player 5.2.12 in its low-latency mode stopped twice in three tries with an error of its own ("Cannot read properties of undefined
  (reading 'match')": a request without a URI). With \`streaming.lowLatencyMode: false\` it played in three of three. The cause is not
  known.
`;
process.stdout.write(page);
if (wanted.length === 0) writeFileSync(inRepository('docs', 'interop.md'), page);
process.stdout.write(
  `${encoderRows.length + playerRows.length + readerRows.length + hubRows.length - failures} passed, ${failures} failed\n`,
);
process.exitCode = failures > 0 ? 1 : 0;

/** Publishes until the stream has been decoded for some seconds, then checks that it ends with the encoder. */
async function tryEncoder(rig: StandaloneServer, encoder: Encoder): Promise<Watched> {
  const stream = await rig.api.createStream(encoder.name);
  let decoded: Watched;
  {
    await using publisher = await encoder.start(rig.rtmpUrl, stream.key);
    await untilPlayable(stream.hlsUrl, () => publisher.log());
    await sleep(4_000);
    const state = await rig.api.state(stream.id);
    if (state !== 'live') return { ok: false, detail: `expected the state live, got ${state}` };
    decoded = await decodeWithFfmpeg(stream.hlsUrl, 6);
  }
  for (let waited = 0; waited < 15_000; waited += 100) {
    if ((await rig.api.state(stream.id)) !== 'live') return decoded;
    await sleep(100);
  }
  return { ok: false, detail: 'still live 15 s after the encoder ended' };
}

async function tryReader(reader: LogReader, written: Parameters<LogReader['read']>[0]): Promise<void> {
  const failed = (error: unknown) => ({ ok: false, detail: firstLine(String(error)) });
  const version = await reader.version().catch(() => 'unknown');
  const outcome = await reader.read(written).catch(failed);
  readerRows.push([reader.name, version, ...cells(outcome)]);
  tell(reader.name, outcome);
}

function tell(name: string, outcome: Watched): void {
  if (!outcome.ok) failures++;
  say(`${outcome.ok ? 'passed' : 'FAILED'} ${name}: ${outcome.detail}`);
}

function cells(outcome: Watched): string[] {
  return [outcome.ok ? 'passed' : '**failed**', outcome.detail];
}

async function versionOf(command: readonly string[]): Promise<string> {
  const [program = '', ...args] = command;
  const child = startChild(program, args, { env: { QT_QPA_PLATFORM: 'offscreen' } });
  await Promise.race([child.ended, sleep(5_000)]);
  await child[Symbol.asyncDispose]();
  return /(?:version |\s)n?(\d+\.\d+(\.\d+)*)/i.exec(child.log())?.[1] ?? 'unknown';
}

async function installMissing(): Promise<void> {
  const all: readonly (Encoder | Player)[] = [...encoders, ...players].filter(({ name }) => wants(name));
  const missing = all.filter(({ program }) => !findOnPath([program]));
  const packages = [...new Set(missing.flatMap((each) => [...each.packages]))];
  if (packages.length === 0) return;
  if (mayInstall() && (await installDebian(packages))) return;
  say(`not installed: ${packages.join(' ')}; what needs them will fail`);
}

function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '').slice(0, 300);
}
