/** CMCD event mode: `POST .../cmcd`, one report a line, answered 204 with nothing. */
import type { ServerResponse } from 'node:http';
import { problem } from '@millrace/http';
import type { DeliveryMetrics } from '../metrics.ts';
import type { BeaconIntake } from './beacon-intake.ts';
import type { Refusals, WatchExchange } from './exchange.ts';
import { corsHeaders } from './response-headers.ts';

/** A post of reports on a stream or a video. */
export interface BeaconExchange extends WatchExchange {
  readonly response: ServerResponse;
}

export interface BeaconRoutesDeps {
  readonly intake: BeaconIntake;
  readonly refusals: Refusals;
  readonly metrics: DeliveryMetrics;
}

/** Bytes of a body: fifty reports of a kilobyte. */
const mostBodyBytes = 64 * 1024;
/** A body that is still not here is given up, ms. */
const bodyTimeoutMs = 10_000;
/** Bodies that are being read at once. */
const mostReading = 2_000;
/** What players send, and what `sendBeacon` makes of a text. */
const contentTypes = /^(application\/cmcd|text\/cmcd|text\/plain)\s*(;|$)/i;

export class BeaconRoutes {
  readonly #deps: BeaconRoutesDeps;
  #reading = 0;

  constructor(deps: BeaconRoutesDeps) {
    this.#deps = deps;
  }

  post(exchange: BeaconExchange): void {
    const { request } = exchange;
    const type = request.headers['content-type'] ?? '';
    if (!contentTypes.test(type)) {
      return this.#refuse(
        exchange,
        415,
        'unsupported-media-type',
        `expected application/cmcd, got "${type.slice(0, 60)}"`,
      );
    }
    const length = Number(request.headers['content-length'] ?? 0);
    if (length > mostBodyBytes) return this.#tooLarge(exchange);
    if (this.#reading >= mostReading) return this.#overloaded(exchange);
    this.#read(exchange);
  }

  #read(exchange: BeaconExchange): void {
    const { request, response } = exchange;
    const slices: Buffer[] = [];
    let bytes = 0;
    let done = false;
    this.#reading++;
    const finish = (answer?: () => void) => {
      if (done) return;
      done = true;
      this.#reading--;
      clearTimeout(timer);
      request.removeAllListeners('data');
      answer?.();
    };
    const timer = setTimeout(() => finish(() => request.destroy()), bodyTimeoutMs);
    request.on('data', (slice: Buffer) => {
      bytes += slice.length;
      if (bytes > mostBodyBytes) return finish(() => this.#tooLarge(exchange));
      slices.push(slice);
    });
    request.once('end', () => finish(() => this.#take(exchange, Buffer.concat(slices).toString('utf8'))));
    request.once('error', () => finish());
    response.once('close', () => finish());
  }

  #take(exchange: BeaconExchange, body: string): void {
    const { intake, metrics } = this.#deps;
    const outcome = intake.events(exchange, body);
    if (outcome === 'overload' || outcome === 'no-room') return this.#overloaded(exchange);
    if (outcome !== 'taken') return this.#tooMany(exchange, outcome === 'address-rate' ? 'address' : 'session');
    metrics.responses.inc({ resource: 'beacons', status: '204' });
    exchange.response.writeHead(204, [...corsHeaders]).end();
  }

  #tooLarge(exchange: BeaconExchange): void {
    this.#refuse(exchange, 413, 'too-large', `expected at most ${mostBodyBytes} bytes of reports`, {
      connection: 'close', // what is left of the body is not read
    });
  }

  #tooMany(exchange: BeaconExchange, who: 'address' | 'session'): void {
    this.#refuse(exchange, 429, 'too-many-reports', `this ${who} sends more reports than are taken`, {
      'retry-after': '10',
    });
  }

  #overloaded(exchange: BeaconExchange): void {
    this.#refuse(exchange, 503, 'reports-overloaded', 'more reports come than are taken, or the log is away', {
      'retry-after': '5',
    });
  }

  #refuse(
    exchange: BeaconExchange,
    status: number,
    kind: string,
    detail: string,
    headers: Readonly<Record<string, string>> = {},
  ): void {
    this.#deps.refusals.send(exchange.response, 'beacons', problem(status, kind, 'Reports refused', { detail }), {
      headers,
    });
  }
}
