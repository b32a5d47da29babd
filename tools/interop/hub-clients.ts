/**
 * Other people's WebSocket clients against the hub: Python's `websockets`, wscat, and Chromium (WebSocket and EventSource). Each subscribes, hears a snapshot and a change, breaks off, and is told what it missed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { TestPlant } from '../../apps/hub/src/testing.ts';
import { type OwnedChild, startChild } from '../rig/child.ts';
import { findOnPath } from '../setup/programs.mjs';
import { ensurePythonTools, pythonTool } from '../setup/python.mjs';
import { inRepository } from '../setup/workspace.mjs';

export interface HubClientOutcome {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** Prints one JSON line of what it saw; `change` on standard output asks for a change of the stream. */
const program = `
import asyncio, json, sys, websockets
async def main(url):
    seen = {}
    async with websockets.connect(url, compression="deflate") as ws:
        seen["hello"] = json.loads(await ws.recv())["op"]
        seen["extensions"] = len(ws.protocol.extensions)
        async def fragments():
            text = json.dumps({"op": "subscribe", "channel": "streams"})
            for piece in (text[:7], text[7:9], text[9:]):
                yield piece
        await ws.send(fragments())
        snapshot = json.loads(await ws.recv())
        seen["snapshot"] = [s["title"] for s in snapshot["streams"]]
        position = snapshot["position"]
        print("change", flush=True)
        while "delta" not in seen:
            message = json.loads(await ws.recv())
            titles = [c["stream"]["title"] for c in message.get("changes", []) if c["kind"] == "stream"]
            if titles: seen["delta"] = titles
        await (await ws.ping())
    async with websockets.connect(url) as ws:
        await ws.recv()
        await ws.send(json.dumps({"op": "subscribe", "channel": "streams", "after": position}))
        message = json.loads(await ws.recv())
        seen["recovered"] = [c["stream"]["title"] for c in message["changes"] if c["kind"] == "stream"]
        await ws.send("x" * 5000)
        try:
            while True: await ws.recv()
        except websockets.ConnectionClosed as end:
            seen["oversize"] = end.rcvd.code
    print(json.dumps(seen), flush=True)
asyncio.run(main(sys.argv[1]))
`;

/** Runs in the page; resolves with what it saw. `changeStream` is the test's. */
const page = `async ([url, events]) => {
  const seen = {};
  const wait = (start) => new Promise((resolve, reject) => { setTimeout(() => reject(new Error('nothing came')), 10000); start(resolve); });
  let position;
  const socket = new WebSocket(url);
  await wait((done) => {
    socket.onopen = () => socket.send(JSON.stringify({ op: 'subscribe', channel: 'streams' }));
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.op === 'snapshot') { seen.snapshot = message.streams.map((s) => s.title); position = message.position; changeStream(); }
      const titles = (message.changes ?? []).flatMap((c) => (c.kind === 'stream' ? [c.stream.title] : []));
      if (message.op === 'delta' && titles.length > 0) { seen.delta = titles; done(); }
    };
  });
  socket.close();
  const again = new WebSocket(url);
  await wait((done) => {
    again.onopen = () => again.send(JSON.stringify({ op: 'subscribe', channel: 'streams', after: position }));
    again.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.op !== 'recovered') return;
      seen.recovered = message.changes.flatMap((c) => (c.kind === 'stream' ? [c.stream.title] : []));
      done();
    };
  });
  again.close();
  const source = new EventSource(events);
  seen.events = await wait((done) => { source.onmessage = ({ data, lastEventId }) => done([JSON.parse(data).op, lastEventId !== '']); });
  source.close();
  return seen;
}`;

/** Tries the named clients, each on a hub of its own. */
export async function tryHubClients(names: readonly string[] = hubClientNames): Promise<readonly HubClientOutcome[]> {
  const outcomes: HubClientOutcome[] = [];
  for (const [name, attempt] of Object.entries(clients).filter(([name]) => names.includes(name))) {
    await using plant = new TestPlant();
    await plant.define('str_a', { title: 'one' });
    await plant.broadcast('str_a', 'StreamPublished');
    // The page is of no origin at all.
    const hub = await plant.openHub({ settings: { HUB_ALLOWED_ORIGINS: '*' } });
    const change = () => plant.define('str_a', { title: 'two' });
    const seen = await attempt(hub.url, hub.http, change).catch((error: unknown) => ({ error: String(error) }));
    const wrong = Object.entries({ snapshot: ['one'], delta: ['two'], recovered: ['two'] }).filter(
      ([what, expected]) => JSON.stringify((seen as Record<string, unknown>)[what]) !== JSON.stringify(expected),
    );
    outcomes.push({ name, ok: wrong.length === 0, detail: JSON.stringify(seen).slice(0, 300) });
  }
  return outcomes;
}

type Attempt = (url: string, http: string, change: () => Promise<void>) => Promise<object>;

const tryPython: Attempt = async (url, _http, change) => {
  await ensurePythonTools();
  const child = startChild(pythonTool('python'), ['-c', program, url]);
  let asked = false;
  const poll = setInterval(() => {
    if (asked || !child.log().includes('change')) return;
    asked = true;
    void change();
  }, 20);
  try {
    await Promise.race([child.ended, sleep(20_000)]);
  } finally {
    clearInterval(poll);
    await child[Symbol.asyncDispose]();
  }
  const line = child
    .log()
    .split('\n')
    .find((text) => text.startsWith('{'));
  if (line === undefined) throw new Error(`no result: ${child.log().slice(-300)}`);
  const seen = JSON.parse(line) as { readonly oversize?: number; readonly extensions?: number };
  if (seen.oversize !== 1009 || seen.extensions !== 0) throw new Error(`expected 1009 and no extension: ${line}`);
  return seen;
};

/** Sends what stands on its command line and prints each message as a line, until its input is closed. */
const tryWscat: Attempt = async (url, _http, change) => {
  const wscat = inRepository('node_modules', '.bin', 'wscat');
  const connect = (request: object) =>
    startChild(wscat, ['--connect', url, '--wait', '-1', '--execute', JSON.stringify(request)], { stdin: true });
  const heard = async (child: OwnedChild, op: string): Promise<HubWords> => {
    for (let waited = 0; waited < 10_000; waited += 20) {
      for (const line of child.log().split('\n').slice(0, -1)) {
        const words = line.startsWith('{') ? (JSON.parse(line) as HubWords) : undefined;
        if (words?.op === op && titlesOf(words).length > 0) return words;
      }
      await sleep(20);
    }
    throw new Error(`no ${op} within 10 s: ${child.log().slice(-300)}`);
  };
  await using first = connect({ op: 'subscribe', channel: 'streams' });
  const snapshot = await heard(first, 'snapshot');
  await change();
  const delta = await heard(first, 'delta');
  await first[Symbol.asyncDispose]();
  await using second = connect({ op: 'subscribe', channel: 'streams', after: snapshot.position });
  const recovered = await heard(second, 'recovered');
  return { snapshot: titlesOf(snapshot), delta: titlesOf(delta), recovered: titlesOf(recovered) };
};

/** What is looked at of a message of the hub. */
interface HubWords {
  readonly op: string;
  readonly position?: object;
  readonly streams?: readonly { readonly title: string }[];
  readonly changes?: readonly { readonly kind: string; readonly stream?: { readonly title: string } }[];
}

function titlesOf({ streams, changes = [] }: HubWords): readonly string[] {
  return streams?.map(({ title }) => title) ?? changes.flatMap(({ stream }) => (stream ? [stream.title] : []));
}

const tryChromium: Attempt = async (url, http, change) => {
  const executablePath = findOnPath(['chromium', 'chromium-browser', 'google-chrome']);
  if (executablePath === undefined) throw new Error('expected chromium on the path');
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    const tab = await browser.newPage();
    await tab.exposeFunction('changeStream', change);
    const call = `(${page})(${JSON.stringify([url, `${http}/api/v1/events?channels=streams`])})`;
    return await tab.evaluate<object>(call);
  } finally {
    await browser.close();
  }
};

const clients: Readonly<Record<string, Attempt>> = {
  'Python websockets 15.0.1': tryPython,
  'wscat 6.1.0': tryWscat,
  'Chromium (WebSocket, EventSource)': tryChromium,
};

export const hubClientNames: readonly string[] = Object.keys(clients);
