/**
 * Countries of addresses from a MaxMind file (GeoLite2-Country, or any with `country.iso_code`). It is read again when it
 * changes; a file that cannot be read leaves the last good one in use.
 */
import { readFile, stat } from 'node:fs/promises';
import type { Clock } from '@millrace/clock';
import type { Logger } from '@millrace/log';
import { type CountryResponse, Reader } from 'maxmind';

/** ISO 3166-1 alpha-2, or undefined when it is not known. */
export interface CountryLookup {
  of(address: string): string | undefined;
}

export const noCountries: CountryLookup = { of: () => undefined };

export interface CountryDatabase extends CountryLookup, AsyncDisposable {}

const checkEveryMs = 30_000;
/** A country file is some 10 MB; what is much larger is none. */
const mostBytes = 256 * 1024 * 1024;

export async function openCountryDatabase(deps: {
  readonly path: string;
  readonly clock: Clock;
  readonly log: Logger;
}): Promise<CountryDatabase> {
  const { path, clock, log } = deps;
  let reader: Reader<CountryResponse> | undefined;
  let version = '';
  const read = async (): Promise<void> => {
    try {
      const { mtimeMs, size, ino } = await stat(path);
      const found = `${mtimeMs} ${size} ${ino}`;
      if (found === version) return;
      version = found; // a file that is bad is not read again until it changes
      if (size > mostBytes) throw new Error(`expected at most ${mostBytes} bytes, got ${size}`);
      reader = new Reader<CountryResponse>(await readFile(path));
      log.info('country-file-read', { path, built_at: reader.metadata.buildEpoch.toISOString() });
    } catch (error) {
      log.warn('country-file-unreadable', { path, error });
    }
  };
  let reading = read();
  await reading;
  const timer = clock.every(checkEveryMs, () => void (reading = reading.then(read))); // `read` never rejects
  return {
    of(address) {
      const code = lookUp(reader, address)?.country?.iso_code;
      return code !== undefined && /^[A-Z]{2}$/.test(code) ? code : undefined;
    },
    async [Symbol.asyncDispose]() {
      timer.cancel();
      await reading;
    },
  };
}

/** A damaged file can make the reader throw in the middle of its tree. */
function lookUp(reader: Reader<CountryResponse> | undefined, address: string): CountryResponse | null | undefined {
  try {
    return reader?.get(address);
  } catch {
    return undefined;
  }
}
