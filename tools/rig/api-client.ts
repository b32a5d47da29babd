/** The few calls of the REST API that benchmarks and long tests make. */

export interface RigStream {
  readonly id: string;
  readonly playbackId: string;
  readonly key: string;
  readonly hlsUrl: string;
  readonly watchUrl: string;
}

export class ApiClient {
  readonly #baseUrl: string;
  readonly #token: string;

  private constructor(baseUrl: string, token: string) {
    this.#baseUrl = baseUrl;
    this.#token = token;
  }

  /** Exchanges the one-time code of the sign-in link for a token. */
  static async signIn(baseUrl: string, code: string): Promise<ApiClient> {
    const answer = await call(`${baseUrl}/api/v1/sign-ins`, 'POST', undefined, { code });
    return new ApiClient(baseUrl, text(answer, 'token'));
  }

  /** Creates a public stream and a key for it. */
  async createStream(title: string, latencyMode: 'low' | 'standard' = 'low'): Promise<RigStream> {
    const input = { title, visibility: 'public', latency_mode: latencyMode };
    const stream = await this.#call('POST', '/streams', input);
    const id = text(stream, 'id');
    const key = await this.#call('POST', `/streams/${id}/keys`, { label: 'rig' });
    const playbackId = text(stream, 'playback_id');
    return {
      id,
      playbackId,
      key: text(key, 'key'),
      hlsUrl: `${this.#baseUrl}/live/${playbackId}/index.m3u8`,
      watchUrl: `${this.#baseUrl}/watch/${playbackId}`,
    };
  }

  /** `idle`, `live` or `interrupted`. */
  async state(streamId: string): Promise<string> {
    return text(await this.#call('GET', `/streams/${streamId}`), 'state');
  }

  get token(): string {
    return this.#token;
  }

  /** Any call below `/api/v1`; rejects unless it succeeds. */
  call(method: string, path: string, body?: unknown): Promise<Readonly<Record<string, unknown>>> {
    return this.#call(method, path, body);
  }

  #call(method: string, path: string, body?: unknown): Promise<Readonly<Record<string, unknown>>> {
    return call(`${this.#baseUrl}/api/v1${path}`, method, this.#token, body);
  }
}

async function call(
  url: string,
  method: string,
  token: string | undefined,
  body?: unknown,
): Promise<Readonly<Record<string, unknown>>> {
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (token) headers['authorization'] = `Bearer ${token}`;
  const answer = await fetch(url, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const content = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${url}: expected success, got ${answer.status} ${content.slice(0, 500)}`);
  return JSON.parse(content) as Readonly<Record<string, unknown>>;
}

function text(record: Readonly<Record<string, unknown>>, field: string): string {
  const value = record[field];
  if (typeof value !== 'string') throw new Error(`expected text in "${field}", got ${JSON.stringify(record)}`);
  return value;
}
