/** The REST API as a broadcaster's script would use it. */

export interface TestStream {
  readonly id: string;
  readonly playbackId: string;
  readonly keyId: string;
  readonly key: string;
}

/** An answer of the API. `body` is undefined when there was none. */
export interface RestAnswer {
  readonly status: number;
  // biome-ignore lint: tests look into answers of many shapes
  readonly body: Readonly<Record<string, unknown>>;
}

export class RestClient {
  readonly #baseUrl: string;
  readonly #token: string;

  constructor(baseUrl: string, token: string) {
    this.#baseUrl = baseUrl;
    this.#token = token;
  }

  /** Uses up the one-time code of a sign-in link. */
  static async signIn(baseUrl: string, code: string): Promise<RestClient> {
    const answer = await new RestClient(baseUrl, '').call('POST', '/sign-ins', { code });
    if (typeof answer.body['token'] !== 'string') throw new Error(`sign-in failed: ${JSON.stringify(answer)}`);
    return new RestClient(baseUrl, answer.body['token']);
  }

  /** The same caller at another address: a server that was started anew has another port. */
  at(baseUrl: string): RestClient {
    return new RestClient(baseUrl, this.#token);
  }

  get token(): string {
    return this.#token;
  }

  async call(method: string, path: string, body?: unknown): Promise<RestAnswer> {
    const answer = await fetch(`${this.#baseUrl}/api/v1${path}`, {
      method,
      headers: {
        ...(this.#token === '' ? {} : { authorization: `Bearer ${this.#token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
  }

  /** The same, for a call that must succeed. */
  async expect(method: string, path: string, body?: unknown): Promise<Readonly<Record<string, unknown>>> {
    const answer = await this.call(method, path, body);
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** A stream with one key. */
  async createStream(
    title: string,
    given: { readonly visibility?: 'public' | 'private'; readonly latencyMode?: 'low' | 'standard' } = {},
  ): Promise<TestStream> {
    const stream = await this.expect('POST', '/streams', {
      title,
      visibility: given.visibility ?? 'public',
      latency_mode: given.latencyMode ?? 'low',
    });
    const key = await this.expect('POST', `/streams/${String(stream['id'])}/keys`, { label: 'encoder' });
    return {
      id: String(stream['id']),
      playbackId: String(stream['playback_id']),
      keyId: String(key['id']),
      key: String(key['key']),
    };
  }

  /** `idle`, `live` or `interrupted`. */
  async stateOf(stream: TestStream): Promise<string> {
    return String((await this.expect('GET', `/streams/${stream.id}`))['state']);
  }
}
