/** A hub for tests of the studio: the protocol of @millrace/api over a real WebSocket, telling what the test sets. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  type HubChange,
  type HubJob,
  type HubMessage,
  type HubStream,
  hubMessageSchema,
  hubRequestSchema,
} from '@millrace/api';
import { type WebSocket, WebSocketServer } from 'ws';

export class FakeHub {
  readonly streams = new Map<string, HubStream>();
  readonly jobs = new Map<string, HubJob>();
  /** What was asked for over all connections, `op channel token`. */
  readonly asked: string[] = [];
  /** Connections are refused. */
  away = false;
  readonly #server = new WebSocketServer({ noServer: true });
  readonly #channels = new Map<WebSocket, Set<string>>();

  get connections(): number {
    return this.#channels.size;
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.away) {
      socket.end('HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n');
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (client) => this.#accept(client));
  }

  /** Sets a stream and tells it to all who follow it. */
  tell(stream: HubStream): void {
    this.streams.set(stream.stream_id, stream);
    this.#change(channelsOf(stream), { kind: 'stream', stream });
  }

  /** Sets a job and tells it to all who follow it. */
  tellJob(job: HubJob): void {
    this.jobs.set(job.job_id, job);
    this.#change(['jobs', `job:${job.job_id}`], { kind: 'job', job });
  }

  /** Changes the number of viewers of a stream that was told before. */
  count(streamId: string, viewers: number): void {
    const stream = this.streams.get(streamId);
    if (stream === undefined) throw new Error(`no stream ${streamId} was told`);
    this.streams.set(streamId, { ...stream, viewers });
    this.#change(channelsOf(stream), { kind: 'counted', stream_id: streamId, viewers });
  }

  /** A new sample of the encoder's health. */
  measure(streamId: string, health: NonNullable<HubStream['health']>): void {
    const stream = this.streams.get(streamId);
    if (stream === undefined) throw new Error(`no stream ${streamId} was told`);
    this.streams.set(streamId, { ...stream, health });
    this.#change(channelsOf(stream), { kind: 'measured', stream_id: streamId, health });
  }

  /** Ends every connection, as a hub that stops. */
  drop(): void {
    for (const client of this.#channels.keys()) client.terminate();
  }

  #accept(client: WebSocket): void {
    this.#channels.set(client, new Set());
    client.on('close', () => this.#channels.delete(client));
    client.on('message', (data) => this.#answer(client, JSON.parse(String(data))));
    send(client, { op: 'hello', protocol: 1, instance: 'fake', ping_ms: 20_000 });
  }

  #answer(client: WebSocket, message: unknown): void {
    const request = hubRequestSchema.parse(message);
    const channels = this.#channels.get(client);
    switch (request.op) {
      case 'authenticate':
        this.asked.push('authenticate');
        return send(client, {
          op: 'authenticated',
          role: 'admin',
          expires_at: new Date(Date.now() + 9e5).toISOString(),
        });
      case 'subscribe': {
        this.asked.push(`subscribe ${request.channel} ${request.token ?? ''}`.trim());
        channels?.add(request.channel);
        const streams = [...this.streams.values()].filter((one) => channelsOf(one).includes(request.channel));
        const jobs = [...this.jobs.values()].filter(({ job_id }) =>
          ['jobs', `job:${job_id}`].includes(request.channel),
        );
        return send(client, {
          op: 'snapshot',
          channel: request.channel as 'streams',
          position: { epoch: 'e', offset: '1' },
          ...(request.channel.startsWith('job') ? { jobs } : { streams }),
        });
      }
      case 'unsubscribe':
        channels?.delete(request.channel);
        return;
      case 'ping':
        return send(client, { op: 'pong' });
    }
  }

  #change(of: readonly string[], change: HubChange): void {
    for (const [client, channels] of this.#channels) {
      for (const channel of of) {
        if (channels.has(channel)) send(client, { op: 'delta', channel: channel as 'streams', changes: [change] });
      }
    }
  }
}

function channelsOf({ stream_id, playback_id }: HubStream): readonly string[] {
  return ['streams', `stream:${stream_id}`, `stream:${playback_id}`];
}

/** Only what the schemas allow. */
function send(client: WebSocket, message: HubMessage): void {
  client.send(JSON.stringify(hubMessageSchema.parse(message)));
}
