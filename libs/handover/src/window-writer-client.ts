import { Agent, type AgentOptions } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import type { Clock } from '@millrace/clock';
import type { Epoch, StreamId } from '@millrace/ids';
import type { Logger } from '@millrace/log';
import { err, ok, type Result } from '@millrace/result';
import { postJson } from './post-request.ts';
import { SegmentRequest } from './segment-request.ts';
import type { LiveWindowOrigin, PartWrite, WriteRefusal } from './window-port.ts';
import { decodeRefusal, decodeStanding, decodeState, encodeOpen, livePath } from './window-wire.ts';

/** A request without parts is ended after this long, a connection dropped after ten times as long, ms. */
const idleMs = 3_000;

export interface WindowWriterClientOptions {
  /** Delivery's internal listener, e.g. `http://delivery:8083`. */
  readonly baseUrl: string;
  readonly serviceToken: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Longest wait for the answer to one call, ms. */
  readonly timeoutMs?: number;
}

/** The kept-alive connection of one rendition under one epoch. */
interface Channel {
  readonly agent: Agent;
  request: SegmentRequest | undefined;
  /** Segment of `request`. */
  segment: number;
  usedMs: number;
}

/**
 * The worker's side over HTTP. Each rendition has one kept-alive connection; a segment is one request on it. Closing it
 * cuts what is under way: those writes resolve as `unavailable`.
 */
export function openWindowWriterClient(options: WindowWriterClientOptions): LiveWindowOrigin & AsyncDisposable {
  const { clock, log } = options;
  const timeoutMs = options.timeoutMs ?? 3_000;
  const authorization = `Bearer ${options.serviceToken}`;
  const secure = new URL(options.baseUrl).protocol === 'https:';
  const newAgent = (maxSockets: number): Agent => {
    const settings: AgentOptions = { keepAlive: true, keepAliveMsecs: 1_000, maxSockets, maxFreeSockets: maxSockets };
    return secure ? new TlsAgent(settings) : new Agent(settings);
  };
  const control = newAgent(16);
  const channels = new Map<string, Channel>();
  let open = true;

  const timer = clock.every(idleMs / 3, () => {
    for (const [key, channel] of channels) {
      const idleForMs = clock.monotonicMs() - channel.usedMs;
      if (idleForMs >= idleMs) channel.request?.finish();
      if (idleForMs >= idleMs * 10) close(key, channel);
    }
  });

  function close(key: string, channel: Channel): void {
    channels.delete(key);
    channel.request?.finish();
    channel.agent.destroy();
  }

  const urlOf = (streamId: StreamId, epoch: Epoch, rest: string) =>
    new URL(`${livePath}/${streamId}/${epoch}${rest}`, options.baseUrl);

  async function post(url: URL, body: string, method: 'POST' | 'GET' = 'POST'): Promise<Result<string, WriteRefusal>> {
    if (!open) return err(closed);
    const outcome = await postJson({ url, authorization, agent: control, clock, timeoutMs, body, method });
    if (outcome.kind === 'failed') return err({ kind: 'unavailable', message: outcome.message });
    if (outcome.status >= 200 && outcome.status < 300) return ok(outcome.text);
    if (outcome.status === 401) log.error('service-token-refused', { url: url.href });
    return err(decodeRefusal(outcome.status, outcome.text));
  }

  /** The request that takes `write`: the running one of its segment, or a new one. */
  function requestOf(write: PartWrite): SegmentRequest {
    const key = `${write.streamId}/${write.epoch}/${write.rendition}`;
    let channel = channels.get(key);
    if (channel === undefined) {
      channel = { agent: newAgent(1), request: undefined, segment: -1, usedMs: 0 };
      channels.set(key, channel);
    }
    channel.usedMs = clock.monotonicMs();
    if (channel.request?.open && channel.segment === write.segment) return channel.request;
    channel.request?.finish();
    const url = urlOf(write.streamId, write.epoch, `/${write.rendition}/${write.segment}.m4s`);
    channel.request = new SegmentRequest({ url, authorization, agent: channel.agent, clock, timeoutMs });
    channel.segment = write.segment;
    return channel.request;
  }

  return {
    async open(window) {
      const answer = await post(urlOf(window.streamId, window.epoch, ''), encodeOpen(window));
      if (!answer.ok) return answer;
      const state = decodeState(answer.value);
      return state ? ok(state) : err({ kind: 'unavailable', message: 'delivery answered no window state' });
    },
    async standing(streamId) {
      const answer = await post(new URL(`${livePath}/${streamId}`, options.baseUrl), '', 'GET');
      if (!answer.ok) return answer;
      const standing = decodeStanding(answer.value);
      return standing ? ok(standing) : err({ kind: 'unavailable', message: 'delivery answered no standing' });
    },
    async part(write) {
      if (!open) return err(closed);
      return requestOf(write).part(write);
    },
    async end({ streamId, epoch }) {
      const answer = await post(urlOf(streamId, epoch, '/end'), '{}');
      for (const [key, channel] of channels) if (key.startsWith(`${streamId}/${epoch}/`)) close(key, channel);
      return answer.ok ? ok() : answer;
    },
    async [Symbol.asyncDispose]() {
      open = false;
      timer.cancel();
      for (const [, channel] of channels) {
        channel.request?.abort();
        channel.agent.destroy();
      }
      channels.clear();
      control.destroy();
    },
  };
}

const closed: WriteRefusal = { kind: 'unavailable', message: 'the writer was closed' };
