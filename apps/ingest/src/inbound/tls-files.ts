/** Certificate and key of RTMPS, read from files and read again when they change (certificates are renewed in place). */
import { readFileSync, type StatWatcher, unwatchFile, watchFile } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { Logger } from '@millrace/log';
import type { IngestSettings } from '../config.ts';

export interface TlsPair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

const pollMs = 10_000;

export class TlsFiles implements Disposable {
  readonly #paths: { readonly certFile: string; readonly keyFile: string };
  readonly #log: Logger;
  readonly #listeners = new Set<(pair: TlsPair) => void>();
  readonly #watchers: StatWatcher[];
  readonly #changed = () => this.#reload();

  /** Watches both files; `read` throws when they are not there. */
  constructor(paths: { readonly certFile: string; readonly keyFile: string }, log: Logger) {
    this.#paths = paths;
    this.#log = log;
    this.#watchers = [paths.certFile, paths.keyFile].map((path) =>
      watchFile(path, { interval: pollMs, persistent: false }, this.#changed),
    );
  }

  read(): TlsPair {
    return { cert: readFileSync(this.#paths.certFile), key: readFileSync(this.#paths.keyFile) };
  }

  /** Calls back with a new pair that fits together. */
  onChange(listener: (pair: TlsPair) => void): void {
    this.#listeners.add(listener);
  }

  [Symbol.dispose](): void {
    for (const path of [this.#paths.certFile, this.#paths.keyFile]) unwatchFile(path, this.#changed);
    for (const watcher of this.#watchers) watcher.unref();
  }

  #reload(): void {
    try {
      const pair = this.read();
      createSecureContext(pair); // throws while only one of the two files is new
      for (const listener of this.#listeners) listener(pair);
      this.#log.info('certificate-reloaded', { file: this.#paths.certFile });
    } catch (error) {
      this.#log.warn('certificate-not-reloaded', { file: this.#paths.certFile, error });
    }
  }
}

/** The RTMPS listener that the settings ask for; throws when they contradict each other. */
export function rtmpsOptions(
  settings: Pick<IngestSettings, 'RTMPS_PORT' | 'RTMPS_CERT_FILE' | 'RTMPS_KEY_FILE'>,
  log: Logger,
): { readonly port: number; readonly files: TlsFiles } | undefined {
  const { RTMPS_PORT: port, RTMPS_CERT_FILE: certFile, RTMPS_KEY_FILE: keyFile } = settings;
  if (port === undefined) return undefined;
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new Error(`RTMPS_PORT: expected a port, got "${port}"`);
  if (certFile === undefined || keyFile === undefined) {
    throw new Error('RTMPS_PORT is set: expected RTMPS_CERT_FILE and RTMPS_KEY_FILE beside it');
  }
  return { port: Number(port), files: new TlsFiles({ certFile, keyFile }, log) };
}
